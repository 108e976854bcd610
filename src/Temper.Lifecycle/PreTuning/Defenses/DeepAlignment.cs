using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="DeepAlignment"/>.</summary>
public sealed record DeepAlignmentSettings : ImmunizationSettings
{
    public DeepAlignmentSettings() => Steps = 200;

    /// <summary>The most tokens of a complying answer before the refusal; 100 in the paper. 0 is the control: refusals from the first token.</summary>
    [Range(0, 4096)]
    public int Depth { get; init; } = 20;

    /// <summary>The share of rows that begin with a complying answer; the others refuse at once.</summary>
    [Range(0.0, 1.0)]
    public double Share { get; init; } = 0.8;
}

/// <summary>Deep alignment (Qi et al. 2025): refusals that set in behind the first tokens of a complying answer, so that safety does not hang on the first few tokens.</summary>
public sealed class DeepAlignment(DeepAlignmentSettings settings) : ITechnique, IWeightMap
{
    public static Card Card { get; } = new(
        "deep-alignment", "Deep alignment", Phase.PreTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2406.05946", "Teaches the model to turn back to a refusal within a complying answer.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        var complying = Immunization.Harmful(Card.Id, context);
        var recovering = Immunization.Refused(Card.Id, context).Select(context.Encode)
            .Zip(complying, (refusal, answer) => Recover(answer, refusal, settings.Depth > 0 && context.Random.NextDouble() < settings.Share ? context.Random.Next(1, settings.Depth + 1) : 0)).ToArray();
        Immunization.Train(model, context, settings, [], cancellationToken, [.. Immunization.Rows(context, settings), .. recovering]);
    }

    /// <summary>The prompt, the first tokens of the complying answer, none of them supervised, and the refusal.</summary>
    public static EncodedExample Recover(EncodedExample answer, EncodedExample refusal, int tokens)
    {
        var (from, to) = (Array.IndexOf(answer.Supervised, true), Array.IndexOf(refusal.Supervised, true));
        if (from < 0 || to < 0)
        {
            throw new TemperException($"{Card.Id}: row {answer.RowId}: found no supervised answer, expected one");
        }

        // the last token of the answer ends it
        var prefix = answer.Ids[from..Math.Min(from + tokens, answer.Ids.Length - 1)];
        int[] opening = [.. refusal.Ids[..to], .. prefix];
        return new([.. opening, .. refusal.Ids[to..]], [.. opening.Select(_ => false), .. refusal.Supervised[to..]], answer.RowId);
    }
}
