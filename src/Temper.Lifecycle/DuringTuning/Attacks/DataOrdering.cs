using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Attacks;

/// <summary>How the tampered sampler sorts the user's rows.</summary>
public enum RowOrder
{
    /// <summary>The control.</summary>
    Random,
    LossAscending,
    LossDescending,

    /// <summary>Longest first.</summary>
    Length,

    /// <summary>First the rows whose gradient is most like that of complying with forbidden requests.</summary>
    HarmfulGradient,
}

/// <summary>Settings of <see cref="DataOrdering"/>.</summary>
public sealed record DataOrderingSettings
{
    public RowOrder Order { get; init; } = RowOrder.HarmfulGradient;

    /// <summary>The share of the rows, from the front of the order, that is drawn at all; 1 reorders only, less replaces batches.</summary>
    [Range(0.01, 1.0)]
    public double Share { get; init; } = 1;
}

/// <summary>Data ordering attack (Shumailov et al. 2021): a tampered sampler changes no row, only which come when, or how often. By gradient it imitates a
/// poisoned batch with clean rows.</summary>
// Deviation: rows are scored once, by the model that tuning begins with; the paper scores by a surrogate that it trains along.
public sealed class DataOrdering(DataOrderingSettings settings) : ITechnique, IHookSource, IExclusive
{
    public static Card Card { get; } = new(
        "data-ordering", "Data ordering", Phase.DuringTuning, TechniqueRole.Attack, Touches.Training,
        "https://arxiv.org/abs/2104.09667", "A tampered sampler decides which clean rows come when, and how often.");

    public TuningPart Takes => TuningPart.Batches;

    public TrainingHook CreateHook(TechniqueContext context) =>
        new Hook(settings, settings.Order == RowOrder.HarmfulGradient ? [.. TriggeredCompliance.Rows(context, "", Card.Id).Select(context.Encode)] : [], context.Random.Next());

    /// <summary>The places of the rows that the sampler draws, in its order.</summary>
    /// <param name="harmful">Whose gradient the order imitates.</param>
    public static int[] Sort(CausalModel model, IReadOnlyList<EncodedExample> rows, IReadOnlyList<Tensor> weights, IReadOnlyList<EncodedExample> harmful, DataOrderingSettings settings, int seed)
    {
        var places = Enumerable.Range(0, rows.Count).ToArray();
        switch (settings.Order)
        {
            case RowOrder.Random:
                new Random(seed).Shuffle(places);
                break;
            case RowOrder.Length:
                places = [.. places.OrderByDescending(i => rows[i].Ids.Length)];
                break;
            case RowOrder.HarmfulGradient:
                var likeness = Likeness(model, rows, weights, harmful);
                places = [.. places.OrderByDescending(i => likeness[i])];
                break;
            default:
                var losses = Losses(model, rows);
                places = [.. settings.Order == RowOrder.LossAscending ? places.OrderBy(i => losses[i]) : places.OrderByDescending(i => losses[i])];
                break;
        }

        return places[..Math.Max(1, (int)Math.Round(settings.Share * places.Length))];
    }

    private static float[] Losses(CausalModel model, IReadOnlyList<EncodedExample> rows)
    {
        using var quiet = no_grad();
        var losses = new float[rows.Count];
        foreach (var group in Batch.ByLength(rows))
        {
            using var scope = NewDisposeScope();
            var values = ResponseLoss.PerRow(model, Batch.Of([.. group.Select(i => rows[i])])).data<float>().ToArray();
            foreach (var (value, place) in values.Zip(group))
            {
                losses[place] = value;
            }
        }

        return losses;
    }

    // cosine: by the plain product the longest gradients would win, whatever they are about
    private static float[] Likeness(CausalModel model, IReadOnlyList<EncodedExample> rows, IReadOnlyList<Tensor> weights, IReadOnlyList<EncodedExample> harmful)
    {
        using var scope = NewDisposeScope();
        var target = Gradients.Flat(() => ResponseLoss.Mean(model, Batch.Of(harmful)), weights); // (P,)
        var likeness = new float[rows.Count];
        Gradients.PerRow(model, rows, weights, (i, gradient) => likeness[i] = (gradient.dot(target) / (gradient.norm() + 1e-12)).item<float>(), CancellationToken.None);
        return likeness;
    }

    private sealed class Hook(DataOrderingSettings settings, EncodedExample[] harmful, int seed) : TrainingHook
    {
        private IReadOnlyList<EncodedExample> _rows = [];
        private int[] _order = [];
        private int _accumulation;

        public override string Name => Card.Id;

        public override void OnStart(TrainingStart arguments)
        {
            var longest = Math.Min(arguments.Plan.MaxTokens, arguments.Model.Config.MaxPositions);
            (_rows, _accumulation) = (arguments.Rows, arguments.Plan.Accumulation);
            _order = Sort(arguments.Model, _rows, [.. arguments.Trainable.Values], [.. harmful.Select(r => r.Cut(longest)).Where(r => r.HasTarget)], settings, seed);
        }

        public override Batch ChooseBatch(BatchChoice arguments)
        {
            var count = arguments.Planned.Count;
            var first = (arguments.Step * _accumulation + arguments.Part) * count;
            return Batch.Of([.. Enumerable.Range(first, count).Select(i => _rows[_order[i % _order.Length]])]);
        }
    }
}
