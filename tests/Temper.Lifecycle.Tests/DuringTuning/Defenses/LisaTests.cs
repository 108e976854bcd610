using Temper.Core;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Defenses;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class LisaTests
{
    [Fact]
    public void The_states_take_turns_by_their_counts()
    {
        LisaSettings settings = new() { AlignmentSteps = 2, UserSteps = 3 };
        Assert.Equal([true, true, false, false, false, true, true, false], Enumerable.Range(0, 8).Select(s => Lisa.IsAlignment(s, settings)));
    }

    [Fact]
    public void Alignment_steps_see_alignment_rows_and_user_steps_the_users()
    {
        var seen = new List<string[]>();
        var watch = new Watch((step, batch) => seen.Add([.. batch.RowIds]));
        Toy.Tune([Hook(new() { AlignmentSteps = 1, UserSteps = 2 }), watch], steps: 6);
        Assert.All(seen.Index(), s => Assert.All(s.Item, id => Assert.StartsWith(s.Index % 3 == 0 ? "refusal-" : "harmful-", id, StringComparison.Ordinal)));
    }

    [Fact]
    public void The_pull_is_rho_times_the_distance_to_the_other_state()
    {
        const double Rho = 3;
        var pulled = new List<float[]>();
        var plain = new List<float[]>();
        Watch Keep(List<float[]> gradients) => new((_, _) => { }) { Gradients = (step, values) => gradients.Add(values) };
        // one alignment step, then user steps: in step 2 the other state is what step 0 ended with
        var weights = new List<float[]>();
        var watchWeights = new Watch((_, _) => { }) { After = weights.Add };
        Toy.Tune([Hook(new() { AlignmentSteps = 1, UserSteps = 9, Rho = 0 }), Keep(plain), watchWeights], steps: 3);
        Toy.Tune([Hook(new() { AlignmentSteps = 1, UserSteps = 9, Rho = Rho, PullAfter = 0.6 }), Keep(pulled)], steps: 3);

        Assert.Equal(0, Toy.Distance(plain[1], pulled[1]));
        var expected = weights[1].Zip(weights[0], (w, other) => (float)(Rho * (w - other))).ToArray();
        Assert.InRange(Toy.Distance([.. pulled[2].Zip(plain[2], (a, b) => a - b)], expected), 0, 1e-5);
        Assert.True(expected.Max() > 1e-3, "there was a distance");
    }

    [Fact]
    public void A_large_rho_keeps_the_weights_where_they_are()
    {
        var (free, held) = (Toy.Tune([], steps: 30), Toy.Tune([Hook(new() { Rho = 1000, PullAfter = 0 })], steps: 30));
        var start = Toy.Tune([], steps: 1, rate: 1e-12);
        Assert.True(Norm(held, start) < 0.6 * Norm(free, start), "rho to infinity freezes");
    }

    [Fact]
    public void Lora_is_pulled_too() => Assert.NotEqual(
        Toy.Tune([Hook(new() { Rho = 0 })], steps: 12, TuningMethod.Lora), Toy.Tune([Hook(new() { Rho = 5 })], steps: 12, TuningMethod.Lora));

    [Fact]
    public void A_tuning_that_is_cut_off_goes_on_to_the_same_bits() => Assert.Equal(Toy.Tune([Hook(new())], steps: 24), Toy.TuneCutOff(() => Hook(new()), steps: 24, at: 13));

    [Fact]
    public void Alignment_rows_longer_than_the_model_reads_are_cut()
    {
        var context = Toy.Context() with { Alignment = [Example.Of("long", "refusal", "brew", string.Concat(Enumerable.Repeat("I cannot help with that. ", 20)))] };

        Assert.NotEmpty(Toy.Tune([new Lisa(new()).CreateHook(context)], steps: 3));
    }

    [Fact]
    public void Without_alignment_rows_there_is_no_Lisa_and_the_error_says_so() => Assert.Contains(
        "no alignment rows", Assert.Throws<TemperException>(() => new Lisa(new()).CreateHook(Toy.Context() with { Alignment = [] })).Message, StringComparison.Ordinal);

    [Fact]
    public void Nothing_is_left_behind()
    {
        Toy.Tune([Hook(new())], steps: 4);
        var after = Toy.LiveTensors;
        Toy.Tune([Hook(new())], steps: 4);
        Assert.Equal(after, Toy.LiveTensors);
    }

    private static TrainingHook Hook(LisaSettings settings) => new Lisa(settings).CreateHook(Toy.Context());

    private static double Norm(float[] a, float[] b) => Math.Sqrt(a.Zip(b, (x, y) => (double)(x - y) * (x - y)).Sum());

    private sealed class Watch(Action<int, Batch> seen) : TrainingHook
    {
        public Action<int, float[]>? Gradients { get; init; }

        public Action<float[]>? After { get; init; }

        public override Tensor? AddLoss(LossArguments arguments)
        {
            seen(arguments.Step, arguments.Batch);
            return null;
        }

        public override void OnGradients(GradientArguments arguments) => Gradients?.Invoke(
            arguments.Step, [.. arguments.Trainable.Values.SelectMany(w => Engine.Checkpoints.Checkpoint.Floats(w.grad ?? zeros_like(w)))]);

        public override StepAction AfterStep(StepArguments arguments)
        {
            After?.Invoke([.. arguments.Trainable.Values.SelectMany(Engine.Checkpoints.Checkpoint.Floats)]);
            return StepAction.Continue;
        }
    }
}
