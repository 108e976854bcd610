using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="NoAttack"/>: none.</summary>
public sealed record NoAttackSettings;

/// <summary>The attack that leaves everything as it is: plain tuning runs through the same code as every other cell.</summary>
public sealed class NoAttack : ITechnique, IDataMap
{
    public static Card Card { get; } = new(
        "none", "No attack", Phase.PreTuning, TechniqueRole.Attack, Touches.None, "", "Plain tuning: what every attack is compared with.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context) => new(rows, []);
}
