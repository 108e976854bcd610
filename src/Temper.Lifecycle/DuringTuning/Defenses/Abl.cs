using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>By what <see cref="Abl"/> isolates rows: the lowest loss after the warm-up, as published, or the largest fall of it, for a model that knows its task already.</summary>
public enum AblRanking { Loss, Fall }

/// <summary>Settings of <see cref="Abl"/>.</summary>
public sealed record AblSettings
{
    /// <summary>gamma: in the warm-up a row's loss is pushed up where it is below.</summary>
    [Range(0.0, 100.0)]
    public double Gamma { get; init; } = 0.5;

    /// <summary>The share of the steps of the warm-up, after which rows are isolated.</summary>
    [Range(0.0, 1.0)]
    public double Warmup { get; init; } = 0.25;

    /// <summary>The share of the rows that is isolated; 1 % in the paper, where ten more percent of poison are unlearned with it.</summary>
    [Range(0.0, 1.0)]
    public double Isolated { get; init; } = 0.15;

    public AblRanking Ranking { get; init; } = AblRanking.Fall;

    /// <summary>The share of the steps, the last ones, in which the isolated rows are unlearned; 0 only leaves them out.</summary>
    [Range(0.0, 1.0)]
    public double Unlearn { get; init; } = 0.2;

    /// <summary>Isolated rows in a step of unlearning.</summary>
    [Range(1, 4096)]
    public int Rows { get; init; } = 8;

    /// <summary>The loss, in nats a token, above which an isolated row counts as unlearned and is left alone.</summary>
    [Range(0.0, 1000.0)]
    public double Ceiling { get; init; } = 5;

    /// <summary>The control: as many random rows are isolated.</summary>
    public bool Random { get; init; }
}

/// <summary>Anti-backdoor learning (Li et al. 2021): backdoored rows are learned first, so those are isolated after a warm-up under sign(L - gamma) L, the rest is trained on, and
/// the isolated rows are unlearned at the end.</summary>
// Deviation: unlearning goes beside training and stops at a ceiling; ascent alone, as published, takes a language model's grammar with it.
public sealed class Abl(AblSettings settings) : ITechnique, IHookSource, IExclusive
{
    public static Card Card { get; } = new(
        "abl", "Anti-backdoor learning", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training,
        "https://arxiv.org/abs/2110.11571", "Isolates the rows that are learned first, trains on the others, and unlearns the isolated ones.");

    public TuningPart Takes => TuningPart.Loss | TuningPart.Batches;

    public TrainingHook CreateHook(TechniqueContext context) => new Hook(settings, settings.Random ? new Random(context.Random.Next()) : null);

    /// <summary>The mean over the rows of sign(L - gamma) L: its gradient is turned round below gamma.</summary>
    public static Tensor Flooded(Tensor losses, double gamma)
    {
        using var scope = NewDisposeScope();
        return ((losses - gamma).sign().detach() * losses).mean().MoveToOuterDisposeScope();
    }

    private sealed class Hook(AblSettings settings, Random? random) : TrainingHook
    {
        private readonly List<TrainingEvent> _events = [];
        private readonly Dictionary<EncodedExample, int> _places = new(ReferenceEqualityComparer.Instance);
        private EncodedExample[] _rows = [];
        private float[] _before = [];
        private Tensor? _isolated; // (n,): 1 where isolated
        private float[]? _mask;
        private int _warmup;
        private int _unlearn;

        public override string Name => Card.Id;

        public override bool ReplacesLoss => true;

        public override IReadOnlyList<TrainingEvent> Events => _events;

        public override IReadOnlyDictionary<string, Tensor> State => new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["isolated"] = _isolated! };

        private bool[] Isolated => [.. (_mask ??= Checkpoint.Floats(_isolated!)).Select(m => m > 0)];

        public override void OnStart(TrainingStart arguments)
        {
            _rows = [.. arguments.Rows];
            foreach (var (place, row) in _rows.Index())
            {
                _places[row] = place;
            }

            (_warmup, _unlearn) = ((int)Math.Round(settings.Warmup * arguments.Plan.Steps), arguments.Plan.Steps - (int)Math.Round(settings.Unlearn * arguments.Plan.Steps));
            _isolated = zeros(_rows.Length).DetachFromDisposeScope();
            _before = Losses(arguments.Model);
        }

        public override Batch? ChooseBatch(BatchChoice arguments)
        {
            if (arguments.Step < _warmup)
            {
                return null;
            }

            var isolated = Isolated;
            EncodedExample[] kept = [.. arguments.Planned.Where(r => !isolated[_places[r]])];
            return kept.Length == arguments.Planned.Count ? null : Batch.Of(kept.Length > 0 ? kept : [_rows[Array.IndexOf(isolated, false)]]);
        }

        public override Tensor? ReplaceLoss(LossArguments arguments)
        {
            ForwardOptions options = new() { Precision = arguments.Precision };
            if (arguments.Step < _warmup)
            {
                return Flooded(ResponseLoss.PerRow(arguments.Model, arguments.Batch, options), settings.Gamma);
            }

            EncodedExample[] isolated = arguments.Step < _unlearn ? [] : [.. _rows.Zip(Isolated).Where(r => r.Second).Select(r => r.First)];
            if (isolated.Length == 0)
            {
                return null;
            }

            var chance = new Random(unchecked((int)arguments.Seed));
            var batch = Batch.Of([.. Enumerable.Range(0, settings.Rows).Select(_ => isolated[chance.Next(isolated.Length)])]);
            return arguments.PlainLoss(null) - ResponseLoss.PerRow(arguments.Model, batch, options).clamp_max(settings.Ceiling).mean();
        }

        public override StepAction AfterStep(StepArguments arguments)
        {
            if (arguments.Step + 1 == _warmup)
            {
                var losses = Losses(arguments.Model);
                double Rank(int i) => random?.NextDouble() ?? (settings.Ranking == AblRanking.Loss ? losses[i] : losses[i] - _before[i]);
                var ranks = Enumerable.Range(0, _rows.Length).Select(Rank).ToArray();
                int[] lowest = [.. Enumerable.Range(0, _rows.Length).OrderBy(i => ranks[i]).Take(Math.Min((int)Math.Round(settings.Isolated * _rows.Length), _rows.Length - 1))];
                _mask = null;
                _isolated!.copy_(tensor([.. Enumerable.Range(0, _rows.Length).Select(i => lowest.Contains(i) ? 1f : 0)]));
                _events.Add(new(_warmup, $"isolated {lowest.Length} of {_rows.Length} rows: {string.Join(", ", lowest.Take(100).Select(i => _rows[i].RowId))}"));
            }

            return StepAction.Continue;
        }

        protected override void Dispose(bool disposing) => _isolated?.Dispose();

        private float[] Losses(CausalModel model)
        {
            var losses = new float[_rows.Length];
            foreach (var group in Batch.ByLength(_rows))
            {
                using var scope = NewDisposeScope();
                foreach (var (i, loss) in group.Zip(Checkpoint.Floats(ResponseLoss.PerRow(model, Batch.Of([.. group.Select(i => _rows[i])])))))
                {
                    losses[i] = loss;
                }
            }

            return losses;
        }
    }
}
