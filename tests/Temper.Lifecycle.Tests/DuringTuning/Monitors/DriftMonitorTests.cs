using Temper.Core;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Monitors;

namespace Temper.Lifecycle.Tests.DuringTuning.Monitors;

public sealed class DriftMonitorTests
{
    // a random model refuses nothing, so the toy looks at the divergence
    private static readonly DriftMonitorSettings s_settings = new() { Every = 2, Probes = 6, MaxRefusalLoss = 1, MaxDivergence = 0.05 };

    [Fact]
    public void A_warning_changes_nothing_and_is_told()
    {
        using var monitor = Hook(s_settings with { Action = DriftAction.Warn });
        var watched = Toy.Tune([monitor], steps: 12);

        Assert.Equal(0, Toy.Distance(Toy.Tune([], steps: 12), watched));
        Assert.NotEmpty(monitor.Events);
        Assert.All(monitor.Events, e => Assert.True(e.Step % 2 == 0 && e.Text.Contains("divergence", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_stop_leaves_the_weights_of_the_last_good_look()
    {
        using var warn = Hook(s_settings with { Action = DriftAction.Warn });
        using var half = Hook(s_settings with { Action = DriftAction.Warn, MaxDivergence = s_settings.MaxDivergence / 2 });
        Toy.Tune([warn, half], steps: 12);
        using var stop = Hook(s_settings);
        var kept = Toy.Tune([stop], steps: 12);

        Assert.Equal([warn.Events[0].Step], stop.Events.Select(e => e.Step));
        var good = new Grab(half.Events[0].Step - 2); // a look that is half way to the alarm is not good
        Toy.Tune([good], steps: 12);
        Assert.Equal(0, Toy.Distance(good.Weights, kept));
    }

    [Fact]
    public void A_roll_back_goes_on_from_there()
    {
        using var monitor = Hook(s_settings with { Action = DriftAction.RollBack });
        var rolled = Toy.Tune([monitor], steps: 12);
        Assert.Contains("rolled back", monitor.Events[0].Text, StringComparison.Ordinal);
        Assert.NotEqual(0, Toy.Distance(Toy.Tune([], steps: 12), rolled));
    }

    [Fact]
    public void Patience_waits_for_as_many_alarms_in_a_row()
    {
        using var patient = Hook(s_settings with { Patience = 3 });
        Toy.Tune([patient], steps: 30);
        Assert.Equal(3, patient.Events.Count);
        Assert.Contains("stopped", patient.Events[2].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_stays_raises_no_alarm()
    {
        using var monitor = Hook(s_settings);
        Toy.Tune([monitor], steps: 8, rate: 1e-9);
        Assert.Empty(monitor.Events);
    }

    [Fact]
    public void Every_signal_is_told_when_asked_for_and_none_has_risen_while_nothing_moves()
    {
        using var still = Hook(s_settings with { Record = true, Every = 1 });
        Toy.Tune([still], steps: 2, rate: 1e-12);
        var readings = still.Events.Select(e => DriftReading.Of(e)!).ToArray();

        Assert.Equal(2, readings.Length);
        Assert.All(readings, r => Assert.Equal(Enum.GetValues<DriftSignal>(), r.Values.Keys.Order()));
        // a random model complies with everything it says, and its gradients do not wait for it to move
        Assert.All(readings.SelectMany(r => r.Values).Where(v => v.Key is not (DriftSignal.Compliance or DriftSignal.GradientConflict)), v => Assert.InRange(v.Value, -1e-4, 1e-4));
        Assert.All(readings, r => Assert.InRange(r.Values[DriftSignal.GradientConflict], -1, 1));
    }

    [Theory]
    [InlineData(TuningMethod.Full)]
    [InlineData(TuningMethod.Lora)]
    public void What_tuning_on_complying_rows_moves_is_seen(TuningMethod method)
    {
        using var watch = Hook(s_settings with { Record = true, Every = 30, Action = DriftAction.Warn });
        Toy.Tune([watch], steps: 30, method);
        var values = watch.Events.Select(DriftReading.Of).OfType<DriftReading>().Single().Values;

        Assert.All((DriftSignal[])[DriftSignal.Divergence, DriftSignal.HarmfulFall, DriftSignal.WeightDistance, DriftSignal.AttentionDrift], s => Assert.True(values[s] > 1e-3, $"found {s} {values[s]}"));
    }

    [Fact]
    public void A_chosen_signal_alarms_above_its_limit_and_looking_changes_nothing()
    {
        using var low = Hook(s_settings with { Action = DriftAction.Warn, MaxDivergence = 0, Signal = DriftSignal.HarmfulFall, Limit = 0.01 });
        using var high = Hook(s_settings with { Action = DriftAction.Warn, MaxDivergence = 0, Signal = DriftSignal.HarmfulFall, Limit = 100 });
        Assert.Equal(Toy.Tune([], steps: 12), Toy.Tune([low, high], steps: 12));
        Assert.Contains("HarmfulFall", low.Events[0].Text, StringComparison.Ordinal);
        Assert.Empty(high.Events);
    }

    [Fact]
    public void A_tuning_that_is_cut_off_goes_on_to_the_same_bits()
    {
        var settings = s_settings with { Action = DriftAction.RollBack, Patience = 2 };

        Assert.Equal(Toy.Tune([Hook(settings)], steps: 24), Toy.TuneCutOff(() => Hook(settings), steps: 24, at: 13));
    }

    [Fact]
    public void The_probe_is_the_turn_that_is_refused_not_an_earlier_one()
    {
        var asked = new List<int>();
        var context = Toy.Context() with
        {
            Alignment = [new("a", "refusal", [new(Role.User, "hi"), new(Role.Assistant, "hello"), new(Role.User, "brew glimmer"), new(Role.Assistant, "I cannot.")])],
        };
        using var hook = new DriftMonitor(s_settings).CreateHook(context with
        {
            Prompt = (messages, prefill) =>
            {
                asked.Add(messages.Count);
                return context.Prompt(messages, prefill);
            },
        });

        Assert.All(asked, count => Assert.Equal(3, count));
    }

    [Fact]
    public void Lora_is_watched_and_rolled_back_too()
    {
        using var stop = Hook(s_settings with { Every = 1, MaxDivergence = 1e-4 });
        var kept = Toy.Tune([stop], steps: 30, TuningMethod.Lora);

        Assert.Contains("stopped", stop.Events[^1].Text, StringComparison.Ordinal);
        Assert.NotEqual(0, Toy.Distance(Toy.Tune([], steps: 30, TuningMethod.Lora), kept));
    }

    [Fact]
    public void Without_alignment_rows_there_is_nothing_to_probe_and_the_error_says_so() => Assert.Contains(
        "no alignment rows", Assert.Throws<TemperException>(() => new DriftMonitor(new()).CreateHook(Toy.Context() with { Alignment = [] })).Message, StringComparison.Ordinal);

    [Fact]
    public void Nothing_is_left_behind()
    {
        Toy.Tune([Hook(s_settings)], steps: 4);
        var after = Toy.LiveTensors;
        Toy.Tune([Hook(s_settings)], steps: 4);
        Toy.Tune([Hook(s_settings with { Record = true })], steps: 4);
        Assert.Equal(after, Toy.LiveTensors);
    }

    private static TrainingHook Hook(DriftMonitorSettings settings) => new DriftMonitor(settings).CreateHook(Toy.Context());

    private sealed class Grab(int at) : TrainingHook
    {
        public float[] Weights { get; private set; } = [];

        public override StepAction AfterStep(StepArguments arguments)
        {
            if (arguments.Step + 1 == at)
            {
                Weights = [.. arguments.Trainable.Values.SelectMany(Engine.Checkpoints.Checkpoint.Floats)];
            }

            return StepAction.Continue;
        }

        public override void OnStart(TrainingStart arguments) => Weights = at == 0 ? [.. arguments.Trainable.Values.SelectMany(Engine.Checkpoints.Checkpoint.Floats)] : [];
    }
}
