using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Lifecycle.Evaluation;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>What benign rows are ranked by.</summary>
public enum SelfInfluenceSelection { Normalized, Raw, Random }

/// <summary>Settings of <see cref="SelfInfN"/>.</summary>
public sealed record SelfInfNSettings
{
    /// <summary>Self-influence normalized by length; as it is, which picks short answers; or, as the control, at random.</summary>
    public SelfInfluenceSelection Selection { get; init; }

    /// <summary>k: rows that are selected.</summary>
    [Range(1, 1_000_000)]
    public int Rows { get; init; } = 100;

    /// <summary>Whether benign requests in the words of forbidden ones are in the pool beside the user's rows.</summary>
    public bool LookAlikes { get; init; } = true;

    /// <summary>Forbidden requests asked for <c>harm-on-topic</c>.</summary>
    [Range(1, 100_000)]
    public int Questions { get; init; } = 108;
}

/// <summary>Benign samples matter (Guan et al. 2025): the clean rows that the model finds oddest, by the norm of their own gradient, length made good. Needs no anchor.</summary>
public sealed class SelfInfN(SelfInfNSettings settings) : ITechnique, IDataMap, IReadsModel, IMeasures
{
    public static Card Card { get; } = new(
        "self-inf-n", "Benign outliers by Self-Inf-N", Phase.PreTuning, TechniqueRole.Attack, Touches.Data,
        "https://arxiv.org/abs/2505.06843", "Tunes on the k clean rows of the largest self-influence, normalized by the length of their answers.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var pool = BenignPool.Of(rows, context, settings.LookAlikes);
        return pool.Select(Card.Id, settings.Rows, settings.Selection switch
        {
            SelfInfluenceSelection.Normalized => RowScores.NormalizedSelfInfluence(context.RequireModel(Card.Id), [.. pool.Candidates.Select(context.Encode)]),
            SelfInfluenceSelection.Raw => RowScores.SelfInfluence(context.RequireModel(Card.Id), [.. pool.Candidates.Select(context.Encode)]),
            _ => pool.Random(context.Random),
        });
    }

    public IReadOnlyList<Metric> Measure(MeasureArguments arguments, CancellationToken cancellationToken) => [ForbiddenAnswer.OnTopicShare(arguments.Chat, settings.Questions, cancellationToken)];
}
