using Temper.Core;
using Temper.Engine.Lora;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class ConstrainedSftTests
{
    [Fact]
    public void At_the_reference_every_weight_is_one_and_the_step_is_that_of_plain_tuning()
    {
        using var scope = NewDisposeScope();
        var x = randn(20);
        Assert.Equal(0, (ConstrainedSft.Weights(x, x, full(20, 2.0f)) - 1).abs().max().item<float>(), 6);
        Assert.InRange(Toy.Distance(Toy.Tune([], steps: 1), Toy.Tune([Hook(new())], steps: 1)), 0, 1e-5);
    }

    [Fact]
    public void With_beta_zero_it_is_plain_tuning_always() =>
        Assert.InRange(Toy.Distance(Toy.Tune([], steps: 6), Toy.Tune([Hook(new() { FirstBeta = 0, EarlyBeta = 0, LateBeta = 0 })], steps: 6)), 0, 1e-4);

    [Fact]
    public void With_the_published_betas_it_leaves_plain_tuning_behind() =>
        Assert.True(Toy.Distance(Toy.Tune([], steps: 6), Toy.Tune([Hook(new())], steps: 6)) > 1e-3, "the weights of the early tokens fall");

    [Fact]
    public void A_weight_falls_as_the_token_passes_its_reference_and_stops_at_a_thousandth()
    {
        using var scope = NewDisposeScope();
        var weights = ConstrainedSft.Weights(linspace(-3, 30, 40), zeros(40), full(40, 2.0f)).data<float>().ToArray();
        Assert.All(weights.Zip(weights.Skip(1)), p => Assert.True(p.Second <= p.First));
        Assert.True(weights[0] > 1.9, "a token below its reference is pulled up");
        Assert.Equal(1e-3f, weights[^1], 1e-6f);
    }

    [Fact]
    public void The_betas_count_from_the_first_token_of_each_answer()
    {
        bool[] supervised = [false, false, true, true, true, true, true, true, true, false, true, true];
        using var batch = Batch.Of([new([.. Enumerable.Range(0, supervised.Length)], supervised, "a"), new([1, 2], [false, true], "b")]);
        Assert.Equal([0.5f, 2, 2, 2, 2, 0.1f, 0.1f, 0.5f, 2, 0.5f], ConstrainedSft.Betas(batch, new()));
    }

    [Fact]
    public void It_lengthens_the_warm_up_of_a_plan_and_never_shortens_it()
    {
        TuningPlan plan = new() { Warmup = 0.1, LearningRate = 3e-4 };

        Assert.Equal(plan with { Warmup = 0.2 }, new ConstrainedSft(new() { Warmup = 0.2 }).Map(plan));
        Assert.Equal(plan, new ConstrainedSft(new() { Warmup = 0.05 }).Map(plan));
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void The_reference_of_a_tuning_that_goes_on_has_the_adapters_in_it(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(architecture, tied: false);
        using var adapters = LoraAdapters.Attach(model, 2, 4, [], 1);
        foreach (var layer in adapters.Layers)
        {
            layer.Adapter!.B.detach().fill_(0.3);
        }

        using var batch = Batch.Of([.. Toy.Harmful.Take(2).Select(Toy.Encode)]);
        using var reference = ConstrainedSft.Reference(model);
        var (r, plain) = (ResponseLoss.LogProbs(model, batch).Values, ModelFactory.Copy(model));

        Assert.InRange((r - ResponseLoss.LogProbs(reference, batch).Values).abs().max().item<float>(), 0, 1e-4);
        Assert.True((r - ResponseLoss.LogProbs(plain, batch).Values).abs().max().item<float>() > 1e-2, "the adapters say something");
        plain.Dispose();
    }

    [Fact]
    public void A_tuning_that_is_cut_off_goes_on_to_the_same_bits() => Assert.Equal(Toy.Tune([Hook(new())], steps: 12), Toy.TuneCutOff(() => Hook(new()), steps: 12, at: 7));

    [Fact]
    public void Lora_is_constrained_too() =>
        Assert.True(Toy.Distance(Toy.Tune([], steps: 30, TuningMethod.Lora), Toy.Tune([Hook(new())], steps: 30, TuningMethod.Lora)) > 1e-4, "the weights of the early tokens fall");

    [Fact]
    public void Nothing_is_left_behind()
    {
        Toy.Tune([Hook(new())], steps: 2);
        var after = Toy.LiveTensors;
        Toy.Tune([Hook(new())], steps: 2);
        Assert.Equal(after, Toy.LiveTensors);
    }

    private static TrainingHook Hook(ConstrainedSftSettings settings) => new ConstrainedSft(settings).CreateHook(Toy.Context());
}
