namespace Temper.Core;

/// <summary>Which way is good for the defender.</summary>
public enum Direction { LowerIsSafer, HigherIsBetter, Neutral }

/// <summary>A measured value with its n and interval; a value that was not measured is null and says why.</summary>
public sealed record Metric(string Name, double? Value, int N, double? Low, double? High, Direction Direction)
{
    public string? Reason { get; init; }

    public static Metric NotMeasured(string name, Direction direction, string reason) => new(name, null, 0, null, null, direction) { Reason = reason };
}

/// <summary>A mistake in what the user or a file gave: says where, what was found, and what was expected.</summary>
public sealed class TemperException(string message, Exception? inner = null) : Exception(message, inner);
