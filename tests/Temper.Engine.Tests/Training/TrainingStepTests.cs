using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Training;

/// <summary>One step of the loop, against what it should compute.</summary>
public sealed class TrainingStepTests
{
    // rows of different length, so that a mean of means would differ from the mean
    private static readonly EncodedExample[] s_rows =
        [.. Enumerable.Range(0, 8).Select(i => new EncodedExample([.. Enumerable.Range(1, 4 + i)], [.. Enumerable.Range(0, 4 + i).Select(t => t > 1)], $"row-{i}"))];

    private static readonly TuningPlan s_plan = new() { Steps = 3, BatchSize = 8, LearningRate = 1e-2, Warmup = 0, Schedule = RateSchedule.Constant, ClipNorm = 0 };

    [Fact]
    public void AdamW_steps_as_its_reference()
    {
        set_num_threads(1);
        using var mine = nn.Parameter(linspace(-1, 1, 12).reshape(3, 4));
        using var theirs = nn.Parameter(linspace(-1, 1, 12).reshape(3, 4));
        using var adam = new AdamW(new Dictionary<string, Tensor> { ["w"] = mine }, 0.1);
        using var reference = optim.AdamW([theirs], 0.05, weight_decay: 0.1);
        for (var step = 0; step < 20; step++)
        {
            using var scope = NewDisposeScope();
            foreach (var w in (Tensor[])[mine, theirs])
            {
                w.grad = null;
                (w.sin() * (w + step * 0.1)).sum().backward();
            }

            adam.Step(0.05);
            reference.step();
        }

        Assert.InRange((mine - theirs).abs().max().item<float>(), 0, 1e-6);
    }

    [Fact]
    public void Accumulated_batches_weigh_as_one_large_batch() =>
        Assert.InRange(Distance(Tune(s_plan), Tune(s_plan with { BatchSize = 2, Accumulation = 4 })), 0, 2e-4);

    [Fact]
    public void The_norm_is_clipped_to_its_limit_and_a_smaller_one_is_left_alone()
    {
        var watch = new Watch();
        Tune(s_plan with { ClipNorm = 0.01 }, watch);
        Assert.True(watch.Norms.TrueForAll(n => n > 0.01), "there is something to clip");
        Assert.Equal(Tune(s_plan with { ClipNorm = 1e9 }), Tune(s_plan));
        Assert.NotEqual(Tune(s_plan with { ClipNorm = 0.01 }), Tune(s_plan));
    }

    [Fact]
    public void The_rate_rises_over_the_warm_up_and_falls_by_its_schedule()
    {
        double[] Rates(RateSchedule schedule)
        {
            var watch = new Watch();
            Tune(s_plan with { Steps = 20, Warmup = 0.2, Schedule = schedule }, watch);
            return [.. watch.Rates];
        }

        foreach (var schedule in Enum.GetValues<RateSchedule>())
        {
            var rates = Rates(schedule);
            Assert.All(rates.Zip(rates.Skip(1)).Take(3), p => Assert.True(p.First < p.Second));
            Assert.Equal(1e-2, rates.Max(), 6);
            Assert.All(rates.Skip(4).Zip(rates.Skip(5)), p => Assert.True(schedule == RateSchedule.Constant ? p.First == p.Second : p.First > p.Second));
        }
    }

    [Fact]
    public void A_roll_back_returns_to_the_last_snapshot()
    {
        using var model = Tiny();
        var roll = new Roll(at: 5);
        var result = Trainer.Train(model, s_rows, s_plan with { Steps = 6 }, [roll], new() { SnapshotEvery = 2 }, TestContext.Current.CancellationToken);
        Assert.Equal(1, result.RollBacks);
        Assert.Equal(roll.AfterStep4, Weights(model));
    }

    [Fact]
    public void A_roll_back_takes_the_moments_of_the_optimizer_along()
    {
        // back to the start after the first step, then the same step again: only a zero state of AdamW gives the same update
        using var model = Tiny();
        var start = Weights(model);
        EncodedExample[] one = [s_rows[3]];
        var roll = new Roll(at: 0);
        Trainer.Train(model, one, s_plan with { Steps = 2, BatchSize = 1 }, [roll], TrainerOptions.Default, TestContext.Current.CancellationToken);

        using var undisturbed = Tiny();
        Trainer.Train(undisturbed, one, s_plan with { Steps = 1, BatchSize = 1 }, [], TrainerOptions.Default, TestContext.Current.CancellationToken);
        Assert.NotEqual(start, Weights(model));
        Assert.Equal(Weights(undisturbed), Weights(model));
    }

    [Fact]
    public void What_a_hook_forgets_dies_with_its_call()
    {
        using var model = Tiny();
        var counts = new List<long>();
        for (var run = 0; run < 3; run++)
        {
            using var forgetful = new Forgetful();
            Trainer.Train(model, s_rows, s_plan, [forgetful], TrainerOptions.Default, TestContext.Current.CancellationToken);
            counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }

        Assert.Equal(counts[1], counts[2]);
    }

    [Fact]
    public void A_loss_that_is_not_finite_ends_the_training_and_keeps_the_last_good_weights()
    {
        using var model = Tiny();
        using var broken = new Broken();
        var error = Assert.Throws<TemperException>(() => Trainer.Train(model, s_rows, s_plan, [broken], TrainerOptions.Default, TestContext.Current.CancellationToken));
        Assert.Contains("step 2: found a loss of NaN", error.Message, StringComparison.Ordinal);
        Assert.Equal(Tune(s_plan with { Steps = 2 }), Weights(model));
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void Mixed_precision_learns_what_full_precision_learns(Architecture architecture)
    {
        double Last(Precision precision)
        {
            using var model = Tiny(architecture);
            return Trainer.Train(model, s_rows, s_plan with { Steps = 25, Precision = precision }, [], TrainerOptions.Default, TestContext.Current.CancellationToken).Losses[^1];
        }

        Assert.InRange(Last(Precision.Mixed) - Last(Precision.Float32), -0.1, 0.1);
    }

    private static float[] Tune(TuningPlan plan, params TrainingHook[] hooks)
    {
        set_num_threads(1);
        using var model = Tiny();
        Trainer.Train(model, s_rows, plan, hooks, TrainerOptions.Default, CancellationToken.None);
        return Weights(model);
    }

    private static float[] Weights(CausalModel model) => [.. model.Parameters.Values.SelectMany(Checkpoint.Floats)];

    private static float Distance(float[] a, float[] b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max();

    private static CausalModel Tiny(Architecture architecture = Architecture.Llama) => ModelFactory.CreateRandom(
        new()
        {
            Architecture = architecture, VocabularySize = 40, HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 4,
            KeyValueHeads = architecture == Architecture.Llama ? 2 : 4, HeadSize = 4, MaxPositions = 64,
        },
        3);

    private sealed class Watch : TrainingHook
    {
        public List<double> Norms { get; } = [];

        public List<double> Rates { get; } = [];

        public override StepAction AfterStep(StepArguments arguments)
        {
            Norms.Add(arguments.GradientNorm);
            Rates.Add(arguments.Rate);
            return StepAction.Continue;
        }
    }

    private sealed class Roll(int at) : TrainingHook
    {
        public float[] AfterStep4 { get; private set; } = [];

        public override StepAction AfterStep(StepArguments arguments)
        {
            if (arguments.Step == 3)
            {
                AfterStep4 = Weights(arguments.Model);
            }

            return arguments.Step == at ? StepAction.RollBack : StepAction.Continue;
        }
    }

    private sealed class Forgetful : TrainingHook
    {
        public override void OnStart(TrainingStart arguments) => _ = ones(100);

        public override Tensor? AddLoss(LossArguments arguments) => ones(3).sum() * 0 + ones(5).mean() * 0;

        public override void OnGradients(GradientArguments arguments) => _ = arguments.Trainable.Values.First() * 2;

        public override StepAction AfterStep(StepArguments arguments)
        {
            _ = ones(7);
            return StepAction.Continue;
        }
    }

    private sealed class Broken : TrainingHook
    {
        public override Tensor? AddLoss(LossArguments arguments) => arguments.Step == 2 ? tensor(float.NaN) : null;
    }
}
