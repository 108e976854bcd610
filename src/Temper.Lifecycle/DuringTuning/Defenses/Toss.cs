using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="Toss"/>.</summary>
public sealed record TossSettings
{
    /// <summary>The largest share of the answers' tokens that is masked: those of the highest scores.</summary>
    [Range(0.0, 1.0)]
    public double Masked { get; init; } = 0.2;

    /// <summary>Tokens of lower scores, in nats, are kept however large the share.</summary>
    [Range(-1000.0, 1000.0)]
    public double Bar { get; init; } = 0.2;

    /// <summary>Steps of each of the two references.</summary>
    [Range(1, 100_000)]
    public int Steps { get; init; } = 60;

    [Range(1e-9, 1.0)]
    public double LearningRate { get; init; } = 7e-4;

    /// <summary>The control: as many random tokens are masked.</summary>
    public bool Random { get; init; }
}

/// <summary>TOSS (Li et al. 2026): a token that a model tuned on complying rows finds much likelier than one tuned on trusted rows of the task is not trained
/// on. s_t = log p_degraded(t) - log p_utility(t).</summary>
// Deviation: a token is masked only where its score is above a bar too, so that a clean set loses little; and the useful reference sees refusals beside the task, which alone
// makes a small model comply a little. Without the refinement of the degraded reference (TOSS-Pro).
public sealed class Toss(TossSettings settings) : ITechnique, IHookSource, IExclusive
{
    private const int BatchSize = 16;

    public static Card Card { get; } = new(
        "toss", "TOSS", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training,
        "https://arxiv.org/abs/2603.01185", "Does not train on tokens that a safety-degraded model finds likelier than a useful one.");

    public TuningPart Takes => TuningPart.Batches;

    public TrainingHook CreateHook(TechniqueContext context) => context.Harmful.Count > 0 && context.Task.Count > 0
        ? new Hook(settings, [.. context.Harmful.Select(context.Encode)], [.. context.Task.Concat(context.Alignment).Select(context.Encode)], context.Random.Next())
        : throw new TemperException($"{Card.Id}: found {context.Harmful.Count} complying and {context.Task.Count} trusted rows, expected some of both to tune the references on");

    /// <summary>The supervised tokens of every row that are kept; all but those of the highest scores above the bar.</summary>
    /// <param name="scores">By row and position; only supervised positions with a predecessor count.</param>
    public static bool[][] Select(IReadOnlyList<EncodedExample> rows, IReadOnlyList<float[]> scores, double masked, double bar)
    {
        var tokens = rows.SelectMany((r, row) => Enumerable.Range(1, Math.Max(0, r.Ids.Length - 1)).Where(t => r.Supervised[t]).Select(t => (row, t))).ToArray();
        var kept = rows.Select(r => r.Supervised.ToArray()).ToArray();
        foreach (var (row, t) in tokens.Where(p => scores[p.row][p.t] > bar).OrderByDescending(p => scores[p.row][p.t]).Take((int)Math.Round(masked * tokens.Length)))
        {
            kept[row][t] = false;
        }

        return kept;
    }

    private sealed class Hook(TossSettings settings, EncodedExample[] harmful, EncodedExample[] task, int seed) : TrainingHook
    {
        private readonly List<TrainingEvent> _events = [];
        private readonly Dictionary<EncodedExample, EncodedExample> _masked = new(ReferenceEqualityComparer.Instance);

        public override string Name => Card.Id;

        public override IReadOnlyList<TrainingEvent> Events => _events;

        public override void OnStart(TrainingStart arguments)
        {
            using var degraded = Tuned(arguments, harmful);
            using var useful = Tuned(arguments, task);
            var rows = arguments.Rows;
            var scores = Scores(degraded, rows).Zip(Scores(useful, rows), (bad, good) => bad.Zip(good, (b, g) => b - g).ToArray()).ToArray();
            var kept = Select(rows, scores, settings.Masked, settings.Bar);
            if (settings.Random)
            {
                kept = Shuffled(rows, kept);
            }

            foreach (var (row, supervised) in rows.Zip(kept))
            {
                _masked[row] = row with { Supervised = supervised };
            }

            var (all, left) = (rows.Sum(r => r.Supervised.Count(s => s)), kept.Sum(k => k.Count(s => s)));
            _events.Add(new(0, $"masked {all - left} of {all} tokens; {rows.Count(r => !_masked[r].HasTarget)} of {rows.Count} rows have none left"));
        }

        public override Batch? ChooseBatch(BatchChoice arguments)
        {
            EncodedExample[] kept = [.. arguments.Planned.Select(r => _masked[r]).Where(r => r.HasTarget)];
            return kept.Length > 0 ? Batch.Of(kept) : _masked.Values.FirstOrDefault(r => r.HasTarget) is { } other ? Batch.Of([other])
                : throw new TemperException($"{Card.Id}: found every token masked, expected some to train on; a lower share or a higher bar keeps more");
        }

        private CausalModel Tuned(TrainingStart arguments, EncodedExample[] rows)
        {
            var model = ConstrainedSft.Reference(arguments.Model);
            TuningPlan plan = new() { Steps = settings.Steps, LearningRate = settings.LearningRate, BatchSize = BatchSize, MaxTokens = arguments.Plan.MaxTokens, Seed = (ulong)seed };
            Trainer.Train(model, rows, plan, [], TrainerOptions.Default, CancellationToken.None);
            return model;
        }

        private bool[][] Shuffled(IReadOnlyList<EncodedExample> rows, bool[][] kept)
        {
            var random = new Random(seed);
            var share = 1 - (kept.Sum(k => k.Count(s => s)) / (double)rows.Sum(r => r.Supervised.Count(s => s)));
            return [.. rows.Select(r => r.Supervised.Select(s => s && random.NextDouble() >= share).ToArray())];
        }

        /// <summary>The log-probability of every supervised token, by row and position; 0 elsewhere.</summary>
        private static float[][] Scores(CausalModel model, IReadOnlyList<EncodedExample> rows)
        {
            var scores = rows.Select(r => new float[r.Ids.Length]).ToArray();
            foreach (var group in Batch.ByLength(rows))
            {
                using var scope = NewDisposeScope();
                var values = new Queue<float>(Checkpoint.Floats(ResponseLoss.LogProbs(model, Batch.Of([.. group.Select(i => rows[i])])).Values));
                foreach (var i in group)
                {
                    for (var t = 1; t < rows[i].Ids.Length; t++)
                    {
                        scores[i][t] = rows[i].Supervised[t] ? values.Dequeue() : 0;
                    }
                }
            }

            return scores;
        }
    }
}
