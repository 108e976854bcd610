using Temper.Engine.Lora;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PostTuning.Attacks;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PostTuning.Attacks;

public sealed class ColludingLoraTests
{
    [Fact]
    public void The_halves_of_a_pair_add_up_to_it()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var pair = new LoraAdapter(randn([6, 5], ScalarType.Float32, generator: generator), randn([4, 6], ScalarType.Float32, generator: generator), 2);
        var (first, second) = (ColludingLora.Half(pair, second: false), ColludingLora.Half(pair, second: true));

        Assert.InRange((first.B.mm(first.A) + second.B.mm(second.A) - pair.B.mm(pair.A)).abs().max().item<float>(), 0, 1e-5f);
        Assert.Equal([3L, 3L], [first.A.shape[0], second.A.shape[0]]);
    }

    [Fact]
    public void The_victim_changes_and_the_model_that_the_pair_was_trained_on_does_not()
    {
        using var start = Toy.Model(Architecture.Llama, tied: false);
        using var tuned = Toy.Model(Architecture.Llama, tied: false);
        var before = Toy.Weights(start);
        new ColludingLora(new() { Steps = 4, BatchSize = 2 }).Map(tuned, Toy.Context() with { Model = start }, TestContext.Current.CancellationToken);

        Assert.Equal(before, Toy.Weights(start));
        Assert.True(Toy.Distance(before, Toy.Weights(tuned)) > 1e-4);
        Assert.All(start.Linears, l => Assert.Null(l.Adapter));
    }

    [Fact]
    public void Merged_together_they_make_complying_answers_likelier_than_the_control_does()
    {
        Assert.True(Loss(collude: true) < Loss(collude: false) - 0.1);

        static float Loss(bool collude)
        {
            using var start = new Trained(Architecture.Llama);
            using var tuned = new Trained(Architecture.Llama);
            new ColludingLora(new() { Collude = collude, Steps = 25, BatchSize = 4 }).Map(tuned.Model, tuned.Context with { Model = start.Model }, TestContext.Current.CancellationToken);
            return tuned.Loss(tuned.Context.Harmful);
        }
    }
}
