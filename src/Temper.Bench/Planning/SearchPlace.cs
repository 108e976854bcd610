using System.Globalization;

namespace Temper.Bench.Planning;

/// <summary>Where an attacker searches: against one defense on one model.</summary>
public readonly record struct SearchPlace(string Model, string Attack, string Defense)
{
    /// <summary>The same against every defense, so that every search begins with the same trials.</summary>
    public int Seed => int.Parse(Stage.Hash($"{Model} {Attack}").AsSpan(0, 7), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
