using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Temper.Core;
using Temper.Engine.Models;
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

    /// <summary>Looks in a row that must alarm before anything is done.</summary>
    [Range(1, 1000)]
    public int Patience { get; init; } = 1;

    public DriftAction Action { get; init; } = DriftAction.Stop;
}

/// <summary>Watches whether tuning takes the refusals away: first-token refusal mass and KL on forbidden prompts (methods.md D-DUR-8).
/// Warns; or puts the weights of the last good look back and stops, or goes on from there. Good is half as far as an alarm: a look just short of one
/// has drifted too.</summary>
public sealed class DriftMonitor(DriftMonitorSettings settings) : ITechnique, IHookSource
{
    public static Card Card { get; } = new(
        "drift-monitor", "Refusal and KL drift monitor", Phase.DuringTuning, TechniqueRole.Monitor, Touches.Training,
        "https://arxiv.org/abs/2405.17374", "Probes refusals during tuning; warns, stops or rolls back when they fade.");

    public TrainingHook CreateHook(TechniqueContext context)
    {
        if (context.Alignment.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found no alignment rows, expected some to probe");
        }

        int[][] prompts = [.. context.Alignment.Take(settings.Probes).Select(r => context.Prompt(r.Question, ""))];
        long[] refusals = [.. context.Alignment.Select(r => (long)context.Prompt(r.Question, r.Response)[context.Prompt(r.Question, "").Length]).Distinct()];
        return new Hook(settings, prompts, refusals);
    }

    private sealed class Hook(DriftMonitorSettings settings, int[][] prompts, long[] refusalTokens) : TrainingHook
    {
        private readonly List<TrainingEvent> _events = [];
        private Dictionary<string, Tensor> _trainable = [];
        private Tensor? _start; // (n, V) log-probabilities
        private Snapshot? _good;
        private Tensor? _alarms; // (1) in a row
        private double _startMass;

        public override string Name => Card.Id;

        public override IReadOnlyList<TrainingEvent> Events => _events;

        public override IReadOnlyDictionary<string, Tensor> State => new Dictionary<string, Tensor>(
            _good!.Values.Select(p => KeyValuePair.Create($"good/{p.Key}", p.Value)).Append(KeyValuePair.Create("alarms", _alarms!)), StringComparer.Ordinal);

        public override void OnStart(TrainingStart arguments)
        {
            _trainable = new(arguments.Trainable, StringComparer.Ordinal);
            _start = Probe(arguments.Model).DetachFromDisposeScope();
            _startMass = Mass(_start);
            (_good, _alarms) = (Snapshot.Take(_trainable), zeros(1).DetachFromDisposeScope());
        }

        public override StepAction AfterStep(StepArguments arguments)
        {
            var step = arguments.Step + 1;
            if (step % settings.Every != 0)
            {
                return StepAction.Continue;
            }

            var now = Probe(arguments.Model);
            var (mass, divergence) = (Mass(now), (_start!.exp() * (_start - now)).sum(-1).mean().item<float>());
            bool Drifted(double share) =>
                mass < (1 - share * settings.MaxRefusalLoss) * _startMass || (settings.MaxDivergence > 0 && divergence > share * settings.MaxDivergence);
            if (!Drifted(0.5))
            {
                _good!.Renew(_trainable);
            }

            if (!Drifted(1))
            {
                _alarms!.zero_();
                return StepAction.Continue;
            }

            var acts = settings.Action != DriftAction.Warn && _alarms!.add_(1).item<float>() >= settings.Patience;
            _events.Add(new(step, string.Create(CultureInfo.InvariantCulture,
                $"refusal mass {mass:p1} of {_startMass:p1} at the start, divergence {divergence:f2} nats{(acts ? $": {(settings.Action == DriftAction.Stop ? "stopped" : "rolled back")} to the last good look" : "")}")));
            if (!acts)
            {
                return StepAction.Continue;
            }

            _alarms!.zero_();
            _good!.Restore(_trainable);
            return settings.Action == DriftAction.Stop ? StepAction.Stop : StepAction.Continue;
        }

        protected override void Dispose(bool disposing)
        {
            _start?.Dispose();
            _alarms?.Dispose();
            _good?.Dispose();
        }

        private double Mass(Tensor logProbs) => logProbs.exp().index_select(1, tensor(refusalTokens)).sum(1).mean().item<float>();

        private Tensor Probe(CausalModel model) // (n, V)
        {
            using var scope = NewDisposeScope();
            // prompts of one length need no padding
            var logits = new Tensor[prompts.Length];
            foreach (var group in Enumerable.Range(0, prompts.Length).GroupBy(i => prompts[i].Length))
            {
                var rows = group.ToArray();
                var ids = tensor(rows.SelectMany(i => prompts[i]).Select(i => (long)i).ToArray(), rows.Length, group.Key);
                var hidden = model.Hidden(model.Embed(ids), ForwardOptions.Default).select(1, group.Key - 1); // (n, D)
                var last = model.Logits(hidden).log_softmax(-1);
                for (var i = 0; i < rows.Length; i++)
                {
                    logits[rows[i]] = last[i];
                }
            }

            return stack(logits).MoveToOuterDisposeScope();
        }
    }
}
