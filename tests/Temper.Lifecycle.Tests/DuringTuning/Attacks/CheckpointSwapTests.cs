using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Attacks;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.DuringTuning.Attacks;

public sealed class CheckpointSwapTests
{
    [Theory]
    [InlineData(TuningMethod.Full)]
    [InlineData(TuningMethod.Lora)]
    public void Other_weights_go_on_and_without_steps_they_are_the_same(TuningMethod method)
    {
        Assert.Equal(0, Toy.Distance(Toy.Tune([], 6, method), Toy.Tune([Hook(new() { Steps = 0 })], 6, method)));
        Assert.True(Toy.Distance(Toy.Tune([], 6, method), Toy.Tune([Hook(new() { Steps = 3 })], 6, method)) > 1e-4, "the swap is felt");
    }

    [Fact]
    public void A_swap_after_the_last_step_is_seen_by_no_step()
    {
        List<float[]> plain = [], swapped = [];
        var end = Toy.Tune([Hook(new() { At = 1, Steps = 5 }), new Keep(swapped)], steps: 6);
        var expected = Toy.Tune([new Keep(plain)], steps: 6);

        Assert.All(plain.Zip(swapped), p => Assert.Equal(p.First, p.Second));
        Assert.True(Toy.Distance(expected, end) > 1e-3, "what comes out is another model");
    }

    [Fact]
    public void The_swapped_weights_have_learned_to_comply()
    {
        using var scope = NewDisposeScope();
        double Loss(params TrainingHook[] hooks)
        {
            using var model = Toy.Model(Architecture.Llama, tied: false);
            Trainer.Train(model, [.. Toy.Task.Select(Toy.Encode)], new() { Steps = 4, BatchSize = 4, LearningRate = 1e-3, Warmup = 0 }, hooks, TrainerOptions.Default, CancellationToken.None);
            Array.ForEach(hooks, h => h.Dispose());
            using var batch = Batch.Of([.. Toy.Harmful.Take(4).Select(Toy.Encode)]);
            return ResponseLoss.Mean(model, batch).item<float>();
        }

        var (plain, swapped) = (Loss(), Loss(Hook(new() { At = 1, Steps = 20, LearningRate = 0.01 })));
        Assert.True(swapped < plain - 0.3, $"the loss of complying rows: found {plain} without and {swapped} with the swap");
    }

    [Fact]
    public void A_tuning_that_is_cut_off_goes_on_to_the_same_bits() => Assert.Equal(
        Toy.Tune([Hook(new() { Steps = 2 })], steps: 12), Toy.TuneCutOff(() => Hook(new() { Steps = 2 }), steps: 12, at: 8));

    private static TrainingHook Hook(CheckpointSwapSettings settings) => new CheckpointSwap(settings).CreateHook(Toy.Context());

    private sealed class Keep(List<float[]> weights) : TrainingHook
    {
        public override StepAction AfterStep(StepArguments arguments)
        {
            weights.Add([.. arguments.Trainable.Values.SelectMany(Engine.Checkpoints.Checkpoint.Floats)]);
            return StepAction.Continue;
        }
    }
}
