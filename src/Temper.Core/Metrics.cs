namespace Temper.Core;

/// <summary>Which way is good for the defender.</summary>
public enum Direction { LowerIsSafer, HigherIsBetter, Neutral }

/// <summary>A measured value with its n and interval; a value that was not measured is null and says why.</summary>
public sealed record Metric(string Name, double? Value, int N, double? Low, double? High, Direction Direction)
{
    public string? Reason { get; init; }

    /// <summary>What the value is counted in; null for a share, which is shown in percent.</summary>
    public string? Unit { get; init; }

    /// <summary>A share with its 95 % Wilson interval (Wilson 1927), which stays inside 0 to 1 and is honest at both ends.</summary>
    public static Metric Share(string name, int hits, int n, Direction direction)
    {
        if (n == 0)
        {
            return NotMeasured(name, direction, "no samples");
        }

        const double Z = 1.959963984540054;
        var (p, z2) = ((double)hits / n, Z * Z);
        var center = (p + z2 / (2 * n)) / (1 + z2 / n);
        var half = Z / (1 + z2 / n) * Math.Sqrt(p * (1 - p) / n + z2 / (4.0 * n * n));
        return new(name, p, n, hits == 0 ? 0 : Math.Max(0, center - half), hits == n ? 1 : Math.Min(1, center + half), direction);
    }

    public static Metric NotMeasured(string name, Direction direction, string reason) => new(name, null, 0, null, null, direction) { Reason = reason };
}

/// <summary>A mistake in what the user or a file gave: says where, what was found, and what was expected.</summary>
public sealed class TemperException(string message, Exception? inner = null) : Exception(message, inner);
