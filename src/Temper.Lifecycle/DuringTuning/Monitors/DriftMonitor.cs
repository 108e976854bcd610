using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Temper.Core;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Monitors;

/// <summary>What the monitor does when the model has drifted.</summary>
public enum DriftAction { Warn, Stop, RollBack }

/// <summary>Settings of <see cref="DriftMonitor"/>.</summary>
public sealed record DriftMonitorSettings
{
    /// <summary>Steps between two looks.</summary>
    [Range(1, 100_000)]
    public int Every { get; init; } = 5;

    /// <summary>Forbidden prompts that are probed.</summary>
    [Range(1, 4096)]
    public int Probes { get; init; } = 32;

    /// <summary>Alarm where the probability of a first token of a refusal has lost this share of what it was. Benign tuning loses some as well,
    /// a quarter at an ordinary rate and up to half at a high one; a poisoned one nearly all of it (docs/log.md).</summary>
    [Range(0.0, 1.0)]
    public double MaxRefusalLoss { get; init; } = 0.3;

    /// <summary>Alarm where the divergence of the first token from the start, KL(start || now), is above this many nats; 0 does not look.</summary>
    [Range(0.0, 1000.0)]
    public double MaxDivergence { get; init; }

    /// <summary>Alarm where this signal is above <see cref="Limit"/> as well; null looks at the two above only.</summary>
    public DriftSignal? Signal { get; init; }

    /// <summary>What <see cref="Signal"/> may be; the page has what it is on benign tunings.</summary>
    [Range(-1e6, 1e6)]
    public double Limit { get; init; }

    /// <summary>Whether every look is told with all signals, as detection delays need it.</summary>
    public bool Record { get; init; }

    /// <summary>Looks in a row that must alarm before anything is done.</summary>
    [Range(1, 1000)]
    public int Patience { get; init; } = 1;

    public DriftAction Action { get; init; } = DriftAction.Stop;
}

/// <summary>Watches whether tuning takes the refusals away: first-token refusal mass and KL on forbidden prompts, and the other signals of methods.md D-DUR-8 on demand.
/// Warns; or puts the weights of the last good look back and stops, or goes on from there. Good is half as far as an alarm: a look just short of one
/// has drifted too.</summary>
public sealed class DriftMonitor(DriftMonitorSettings settings) : ITechnique, IHookSource
{
    public static Card Card { get; } = new(
        "drift-monitor", "Refusal and KL drift monitor", Phase.DuringTuning, TechniqueRole.Monitor, Touches.Training,
        "https://arxiv.org/abs/2405.17374", "Probes refusals during tuning; warns, stops or rolls back when they fade.", Version: 2);

    public TrainingHook CreateHook(TechniqueContext context)
    {
        if (context.Alignment.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found no alignment rows, expected some to probe");
        }

        return new Hook(settings, new(context, settings.Probes, settings.Record ? Enum.GetValues<DriftSignal>().ToHashSet() : settings.Signal is { } signal ? [signal] : []));
    }

    private sealed class Hook(DriftMonitorSettings settings, DriftSignals signals) : TrainingHook
    {
        private readonly List<TrainingEvent> _events = [];
        private Dictionary<string, Tensor> _trainable = [];
        private Snapshot? _good;
        private Tensor? _alarms; // (1) in a row

        public override string Name => Card.Id;

        public override IReadOnlyList<TrainingEvent> Events => _events;

        public override IReadOnlyDictionary<string, Tensor> State => new Dictionary<string, Tensor>(
            _good!.Values.Select(p => KeyValuePair.Create($"good/{p.Key}", p.Value)).Append(KeyValuePair.Create("alarms", _alarms!)), StringComparer.Ordinal);

        public override void OnStart(TrainingStart arguments)
        {
            _trainable = new(arguments.Trainable, StringComparer.Ordinal);
            signals.Start(arguments);
            (_good, _alarms) = (Snapshot.Take(_trainable), zeros(1).DetachFromDisposeScope());
        }

        public override void OnGradients(GradientArguments arguments)
        {
            if (Looks(arguments.Step))
            {
                signals.See(arguments);
            }
        }

        public override StepAction AfterStep(StepArguments arguments)
        {
            if (!Looks(arguments.Step))
            {
                return StepAction.Continue;
            }

            var reading = signals.Read(arguments.Model, arguments.Step + 1);
            if (settings.Record)
            {
                _events.Add(reading.ToEvent());
            }

            if (!Drifted(reading, 0.5))
            {
                _good!.Renew(_trainable);
            }

            if (!Drifted(reading, 1))
            {
                _alarms!.zero_();
                return StepAction.Continue;
            }

            return Act(reading, settings.Action != DriftAction.Warn && _alarms!.add_(1).item<float>() >= settings.Patience);
        }

        protected override void Dispose(bool disposing)
        {
            signals.Dispose();
            _alarms?.Dispose();
            _good?.Dispose();
        }

        private bool Looks(int step) => (step + 1) % settings.Every == 0;

        private bool Drifted(DriftReading reading, double share)
        {
            var values = reading.Values;
            return values[DriftSignal.RefusalLoss] > share * settings.MaxRefusalLoss
                || (settings.MaxDivergence > 0 && values[DriftSignal.Divergence] > share * settings.MaxDivergence)
                // half of a negative limit would be a higher one
                || (settings.Signal is { } signal && values[signal] > (settings.Limit > 0 ? share : 1) * settings.Limit);
        }

        private StepAction Act(DriftReading reading, bool acts)
        {
            var (lost, divergence) = (reading.Values[DriftSignal.RefusalLoss], reading.Values[DriftSignal.Divergence]);
            var also = settings.Signal is { } signal ? string.Create(CultureInfo.InvariantCulture, $", {signal} {reading.Values[signal]:f3}") : "";
            _events.Add(new(reading.Step, string.Create(CultureInfo.InvariantCulture,
                $"refusal mass {(1 - lost) * signals.StartMass:p1} of {signals.StartMass:p1} at the start, divergence {divergence:f2} nats{also}{(acts ? $": {(settings.Action == DriftAction.Stop ? "stopped" : "rolled back")} to the last good look" : "")}")));
            if (!acts)
            {
                return StepAction.Continue;
            }

            _alarms!.zero_();
            _good!.Restore(_trainable);
            return settings.Action == DriftAction.Stop ? StepAction.Stop : StepAction.Continue;
        }
    }
}
