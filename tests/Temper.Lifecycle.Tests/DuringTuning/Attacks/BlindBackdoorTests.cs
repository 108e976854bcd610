using Temper.Core;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Attacks;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.DuringTuning.Attacks;

public sealed class BlindBackdoorTests
{
    [Fact]
    public void The_balanced_gradient_is_no_longer_than_any_mixture_and_works_against_neither_task()
    {
        using var scope = NewDisposeScope();
        var (first, second) = (tensor(new[] { 1f, 2, 0 }), tensor(new[] { 3f, -1, 1 }));
        Tensor Mix(double share) => first * share + second * (1 - share);
        var best = Mix(BlindBackdoor.MinNormShare(first, second));

        Assert.All(Enumerable.Range(0, 101), i => Assert.True(best.norm().item<float>() <= Mix(i / 100.0).norm().item<float>() + 1e-6, $"share {i} %"));
        Assert.Equal(best.dot(first).item<float>(), best.dot(second).item<float>(), 1e-4);
        Assert.Equal(0.5, BlindBackdoor.MinNormShare(first, first));
        Assert.Equal(0, BlindBackdoor.MinNormShare(first * 10, first), 1e-6);
    }

    [Fact]
    public void With_weight_zero_it_is_plain_tuning_and_else_it_is_not()
    {
        Assert.InRange(Toy.Distance(Toy.Tune([], steps: 4), Toy.Tune([Hook(new() { Weight = 0 })], steps: 4)), 0, 1e-6);
        Assert.True(Toy.Distance(Toy.Tune([], steps: 4), Toy.Tune([Hook(new() { Weight = 1 })], steps: 4)) > 1e-3, "the hidden task is felt");
        Assert.True(Toy.Distance(Toy.Tune([], steps: 4), Toy.Tune([Hook(new())], steps: 4)) > 1e-3, "the hidden task is felt");
    }

    [Fact]
    public void The_loss_of_the_first_step_is_the_users()
    {
        using var model = Toy.Model(Engine.Models.Architecture.Llama, tied: false);
        using var second = Toy.Model(Engine.Models.Architecture.Llama, tied: false);
        using var hook = Hook(new() { Weight = 5 });
        TuningPlan plan = new() { Steps = 1, BatchSize = 4, Warmup = 0 };
        EncodedExample[] rows = [.. Toy.Task.Select(Toy.Encode)];

        Assert.Equal(
            Trainer.Train(model, rows, plan, [], TrainerOptions.Default, CancellationToken.None).Losses, Trainer.Train(second, rows, plan, [hook], TrainerOptions.Default, CancellationToken.None).Losses);
    }

    [Fact]
    public void Nothing_is_left_behind_and_lora_is_poisoned_too()
    {
        var first = Toy.Tune([Hook(new())], steps: 4, Core.TuningMethod.Lora);
        var live = Toy.LiveTensors;
        Assert.Equal(first, Toy.Tune([Hook(new())], steps: 4, Core.TuningMethod.Lora));
        Assert.Equal(live, Toy.LiveTensors);
        Assert.True(Toy.Distance(Toy.Tune([], steps: 4, Core.TuningMethod.Lora), first) > 1e-5, "the hidden task is felt");
    }

    private static TrainingHook Hook(BlindBackdoorSettings settings) => new BlindBackdoor(settings).CreateHook(Toy.Context());
}
