using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="NoDefense"/>: none.</summary>
public sealed record NoDefenseSettings;

/// <summary>The defense that leaves everything as it is: the undefended cell that every defense is compared with.</summary>
public sealed class NoDefense : ITechnique, IDataMap
{
    public static Card Card { get; } = new(
        "none", "No defense", Phase.PreTuning, TechniqueRole.Defense, Touches.None, "", "Undefended: what every defense is compared with.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context) => new(rows, []);
}
