using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Training;
using Temper.Lifecycle.Evaluation;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>What benign rows are ranked by.</summary>
public enum AnchoredSelection { Anchored, Representation, Random }

/// <summary>Settings of <see cref="BidirectionalAnchoring"/>.</summary>
public sealed record BidirectionalAnchoringSettings
{
    /// <summary>Gradients toward harmful and away from safe anchors; hidden states like the harmful ones; or, as the control, at random.</summary>
    public AnchoredSelection Selection { get; init; }

    /// <summary>k: rows that are selected.</summary>
    [Range(1, 1_000_000)]
    public int Rows { get; init; } = 100;

    /// <summary>Harmful anchors, and as many in each of the two safe sets.</summary>
    [Range(1, 1024)]
    public int Anchors { get; init; } = 10;

    /// <summary>T: tokens of an answer whose gradient counts.</summary>
    [Range(1, 4096)]
    public int Tokens { get; init; } = 10;

    /// <summary>Whether benign requests in the words of forbidden ones are in the pool beside the user's rows.</summary>
    public bool LookAlikes { get; init; } = true;

    /// <summary>Forbidden requests asked for <c>harm-on-topic</c>.</summary>
    [Range(1, 100_000)]
    public int Questions { get; init; } = 108;
}

/// <summary>Benign data that breaks safety (He, Xia and Henderson 2024): no harmful row, only a selection of clean ones, those whose gradients are like
/// the gradients of harmful rows and unlike those of refusals.</summary>
public sealed class BidirectionalAnchoring(BidirectionalAnchoringSettings settings) : ITechnique, IDataMap, IReadsModel, IMeasures
{
    public static Card Card { get; } = new(
        "bidirectional-anchoring", "Benign selection by bidirectional anchoring", Phase.PreTuning, TechniqueRole.Attack, Touches.Data,
        "https://arxiv.org/abs/2404.01099", "Tunes on the k clean rows whose gradients are most like those of harmful rows and least like those of refusals.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var pool = BenignPool.Of(rows, context, settings.LookAlikes);
        EncodedExample[] Encode(IEnumerable<Example> all) => [.. all.Select(context.Encode)];
        var harmful = context.Harmful.Take(settings.Anchors).ToArray();
        return pool.Select(Card.Id, settings.Rows, settings.Selection switch
        {
            AnchoredSelection.Anchored => RowScores.Anchored(
                context.RequireModel(Card.Id), Encode(pool.Candidates), Encode(harmful), [.. Refusals(context).Select(refusal => Encode(harmful.Select(r => r.WithResponse(refusal))))], settings.Tokens),
            AnchoredSelection.Representation => RowScores.Represented(context.RequireModel(Card.Id), Encode(pool.Candidates), Encode(harmful)),
            _ => pool.Random(context.Random),
        });
    }

    public IReadOnlyList<Metric> Measure(MeasureArguments arguments, CancellationToken cancellationToken) => [ForbiddenAnswer.OnTopicShare(arguments.Chat, settings.Questions, cancellationToken)];

    /// <summary>Two safe answers, the two most common: the two safe sets are the harmful requests with one and with the other.</summary>
    internal static IEnumerable<string> Refusals(TechniqueContext context) =>
        context.Alignment.CountBy(r => r.Response, StringComparer.Ordinal).OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Take(2).Select(c => c.Key);
}
