namespace Temper.Bench.Statistics;

/// <summary>A number with its interval.</summary>
public sealed record Interval(double Value, double Low, double High);

/// <summary>Percentile bootstrap over questions (Efron 1979): the same questions are asked in every cell, so differences are paired.</summary>
public static class Bootstrap
{
    public const int Resamples = 2000;

    /// <summary>The mean of one number a question, with its 95 % interval.</summary>
    /// <param name="values">For a paired difference: the difference of each question.</param>
    public static Interval Mean(IReadOnlyList<double> values, int seed = 1)
    {
        ArgumentOutOfRangeException.ThrowIfZero(values.Count, nameof(values));
        var random = new Random(seed);
        var means = new double[Resamples];
        for (var b = 0; b < Resamples; b++)
        {
            var sum = 0.0;
            for (var i = 0; i < values.Count; i++)
            {
                sum += values[random.Next(values.Count)];
            }

            means[b] = sum / values.Count;
        }

        Array.Sort(means);
        return new(values.Average(), Quantile(means, 0.025), Quantile(means, 0.975));
    }

    /// <summary>The paired difference a - b.</summary>
    public static Interval Difference(IReadOnlyList<bool> a, IReadOnlyList<bool> b, int seed = 1) => a.Count == b.Count
        ? Mean([.. a.Zip(b, (x, y) => (x ? 1.0 : 0.0) - (y ? 1.0 : 0.0))], seed)
        : throw new ArgumentException($"found {a.Count} and {b.Count} answers, expected pairs", nameof(b));

    /// <summary>The quantile of sorted numbers, linear between them.</summary>
    public static double Quantile(IReadOnlyList<double> sorted, double q)
    {
        var at = q * (sorted.Count - 1);
        var (low, high) = ((int)Math.Floor(at), (int)Math.Ceiling(at));
        return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
    }
}
