using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Training;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="AnchorFilter"/>.</summary>
public sealed record AnchorFilterSettings : RowFilterSettings
{
    /// <summary>Harmful anchors, and as many in each of the two safe sets.</summary>
    [Range(1, 1024)]
    public int Anchors { get; init; } = 10;

    /// <summary>T: tokens of an answer whose gradient counts.</summary>
    [Range(1, 4096)]
    public int Tokens { get; init; } = 10;

    /// <summary>Whether the last hidden state is compared in place of the gradients, with harmful anchors only; a hundredth of the cost.</summary>
    public bool Representation { get; init; }
}

/// <summary>The mirror of <see cref="BidirectionalAnchoring"/> (He, Xia and Henderson 2024): rows whose gradients are like those of complying rows and unlike those of refusals are dropped.</summary>
public sealed class AnchorFilter(AnchorFilterSettings settings) : ITechnique, IDataMap, IReadsModel
{
    public static Card Card { get; } = new(
        "anchor-filter", "Bidirectional-anchor filter", Phase.PreTuning, TechniqueRole.Defense, Touches.Data,
        "https://arxiv.org/abs/2404.01099", "Drops the rows whose gradients point toward complying answers and away from refusals.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var model = context.RequireModel(Card.Id);
        EncodedExample[] Encode(IEnumerable<Example> all) => [.. all.Select(r => context.Encode(r).Cut(model.Config.MaxPositions))];
        var harmful = context.Harmful.Take(settings.Anchors).ToArray();
        EncodedExample[] anchors = Encode(harmful);
        EncodedExample[][] safe = [.. BidirectionalAnchoring.Refusals(context).Select(refusal => Encode(harmful.Select(r => r.WithResponse(refusal))))];
        var trusted = RowFilter.Trusted(Card.Id, context, settings.TrustedRows);
        // rows and trusted rows at once: the direction of the anchors is found once
        var scores = settings.Representation
            ? RowScores.Represented(model, Encode(rows.Concat(trusted)), anchors)
            : RowScores.Anchored(model, Encode(rows.Concat(trusted)), anchors, safe, settings.Tokens);
        return RowFilter.Above(rows, scores, RowFilter.Quantile(Card.Id, scores.Skip(rows.Count), 1 - settings.FalsePositives), "likeness to complying answers");
    }
}
