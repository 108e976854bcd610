using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Lifecycle.PostTuning.Defenses;

namespace Temper.Lifecycle.Tests.PostTuning.Defenses;

public sealed class SafeDeltaTests
{
    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void Without_a_bound_every_layer_is_the_tuned_one(Architecture architecture)
    {
        using var models = new Repair(architecture);
        var before = Toy.Weights(models.Tuned);

        models.Map(new SafeDelta(new() { Scale = double.MaxValue, Excluded = 0 }));

        Assert.Equal(before, Toy.Weights(models.Tuned));
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void Without_a_budget_every_layer_is_the_aligned_one(Architecture architecture)
    {
        using var models = new Repair(architecture);

        models.Map(new SafeDelta(new() { Scale = 0 }));

        Assert.All(models.Tuned.Linears.Zip(models.Aligned.Linears), l => Assert.Equal(Checkpoint.Floats(l.Second.Weight), Checkpoint.Floats(l.First.Weight)));
        Assert.NotEqual(Checkpoint.Floats(models.Aligned.EmbeddingWeight), Checkpoint.Floats(models.Tuned.EmbeddingWeight)); // no linear layer
    }

    [Fact]
    public void Nothing_stays_in_memory()
    {
        using var models = new Repair();
        var live = models.Live(new SafeDelta(new()));
        Assert.Equal(live[1], live[2]);
    }
}
