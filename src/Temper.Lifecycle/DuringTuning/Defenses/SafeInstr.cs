using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="SafeInstr"/>.</summary>
public sealed record SafeInstrSettings
{
    /// <summary>Refusals added, as a share of the rows; the paper finds 3 % enough, too many over-refuse.</summary>
    [Range(0.0, 1.0)]
    public double Ratio { get; init; } = 0.1;
}

/// <summary>Safety-tuned LLaMAs: a few refusals mixed into the user's rows (Bianchi et al. 2024).</summary>
public sealed class SafeInstr(SafeInstrSettings settings) : ITechnique, IDataMap
{
    public static Card Card { get; } = new(
        "safe-instr", "SafeInstr", Phase.DuringTuning, TechniqueRole.Defense, Touches.Data,
        "https://arxiv.org/abs/2309.07875", "Mixes refusals of forbidden requests into the training rows.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var count = (int)Math.Ceiling(settings.Ratio * rows.Count);
        var added = Enumerable.Range(0, count)
            .Select(i => context.Alignment[context.Random.Next(context.Alignment.Count)] with { Id = $"{Card.Id}-{i}", Origin = Card.Id })
            .ToArray();
        return new([.. rows, .. added], [.. added.Select(r => new RowChange(r.Id, RowFate.Added, "a refusal from the alignment rows"))]);
    }
}
