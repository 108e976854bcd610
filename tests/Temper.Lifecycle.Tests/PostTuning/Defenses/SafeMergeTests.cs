using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Lifecycle.PostTuning.Defenses;

namespace Temper.Lifecycle.Tests.PostTuning.Defenses;

public sealed class SafeMergeTests
{
    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void Without_steps_a_merged_layer_lies_between_the_tuned_and_the_aligned_one(Architecture architecture)
    {
        using var models = new Repair(architecture);
        using var before = ModelFactory.Copy(models.Tuned);

        models.Map(new SafeMerge(new() { Steps = 0, Threshold = 1, SafeWeight = 0.25 }));

        Assert.All(models.Tuned.Linears.Zip(before.Linears, models.Aligned.Linears), l =>
        {
            var expected = Checkpoint.Floats(l.Second.Weight).Zip(Checkpoint.Floats(l.Third.Weight), (t, a) => (0.75f * t) + (0.25f * a)).ToArray();
            Assert.InRange(Toy.Distance(expected, Checkpoint.Floats(l.First.Weight)), 0, 1e-6);
        });
    }

    [Theory]
    [InlineData(-1, 0.5)]
    [InlineData(1, 0.0)]
    public void Below_the_threshold_or_with_no_weight_nothing_is_merged(double threshold, double weight)
    {
        using var models = new Repair();
        var before = Toy.Weights(models.Tuned);

        models.Map(new SafeMerge(new() { Steps = 0, Threshold = threshold, SafeWeight = weight }));

        Assert.InRange(Toy.Distance(before, Toy.Weights(models.Tuned)), 0, 1e-6);
    }

    [Fact]
    public void The_control_merges_as_many_layers_and_others()
    {
        bool[] Merged(bool random)
        {
            using var models = new Repair();
            using var before = ModelFactory.Copy(models.Tuned);
            var cosines = LayerUpdate.Of("test", models.Tuned, models.Context, SafeLoraMode.Exact, 0.5, TestContext.Current.CancellationToken).Select(u => u.Cosine).Order().ToArray();
            models.Map(new SafeMerge(new() { Steps = 0, Threshold = cosines[4], Random = random }));
            return [.. models.Tuned.Linears.Zip(before.Linears, (a, b) => !Checkpoint.Floats(a.Weight).SequenceEqual(Checkpoint.Floats(b.Weight)))];
        }

        var (chosen, random) = (Merged(false), Merged(true));

        Assert.Equal(5, chosen.Count(m => m));
        Assert.Equal(5, random.Count(m => m));
        Assert.NotEqual(chosen, random);
    }

    [Fact]
    public void The_safe_model_is_tuned_on_refusals_and_the_aligned_one_stays()
    {
        using var models = new Repair();
        var aligned = Toy.Weights(models.Aligned);
        using var plain = ModelFactory.Copy(models.Tuned);

        models.Map(new SafeMerge(new() { Steps = 0, Threshold = 1 }), plain);
        models.Map(new SafeMerge(new() { Steps = 5, BatchSize = 4, Threshold = 1 }));

        Assert.Equal(aligned, Toy.Weights(models.Aligned));
        Assert.NotEqual(Toy.Weights(plain), Toy.Weights(models.Tuned));
    }

    [Fact]
    public void Nothing_stays_in_memory()
    {
        using var models = new Repair();
        var live = models.Live(new SafeMerge(new() { Steps = 2, BatchSize = 4, Density = 0.5 }));
        Assert.Equal(live[1], live[2]);
    }
}
