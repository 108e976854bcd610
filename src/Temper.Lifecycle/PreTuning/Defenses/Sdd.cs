using Temper.Core;
using Temper.Engine.Models;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="Sdd"/>.</summary>
public sealed record SddSettings : ImmunizationSettings;

/// <summary>SDD (Chen et al. 2025): forbidden requests are answered well and beside the point, so that who tunes on harmful rows unlearns answering, and what comes back is irrelevant.</summary>
// Deviation: irrelevant are answers of the task that share no word with the request, where the paper asks for an embedding cosine below 0.25.
public sealed class Sdd(SddSettings settings) : ITechnique, IWeightMap
{
    public static Card Card { get; } = new(
        "sdd", "SDD", Phase.PreTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2507.21182", "Teaches fluent answers beside the point to forbidden requests, in place of refusals.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken) =>
        Immunization.Train(model, context, settings, [], cancellationToken, Immunization.Rows(context, settings, Diverted(context)));

    /// <summary>The requests of the alignment rows with answers that have nothing to do with them.</summary>
    public static IReadOnlyList<Example> Diverted(TechniqueContext context)
    {
        var answers = context.Task.Select(r => r.Response).Distinct(StringComparer.Ordinal).ToArray();
        return [.. context.Alignment.Select(row =>
        {
            var asked = Likeness.Words(row.Prompt);
            string[] irrelevant = [.. answers.Where(a => !Likeness.Words(a).Overlaps(asked))];
            return irrelevant.Length > 0 ? row.WithResponse(irrelevant[context.Random.Next(irrelevant.Length)])
                : throw new TemperException($"{Card.Id}: row {row.Id}: found no answer among {answers.Length} of the task without a word of the request, expected one at least");
        })];
    }
}
