using Temper.Core;

namespace Temper.Lifecycle.Evaluation;

/// <summary>How well a score tells two sets apart: those it should be high for, and those it should be low for.</summary>
public sealed class RocCurve
{
    private readonly double[] _positive;
    private readonly double[] _negative;

    public RocCurve(IEnumerable<double> positive, IEnumerable<double> negative)
    {
        (_positive, _negative) = ([.. positive.Order()], [.. negative.Order()]);
        if (_positive.Length == 0 || _negative.Length == 0)
        {
            throw new TemperException($"ROC curve: found {_positive.Length} positive and {_negative.Length} negative scores, expected some of both");
        }
    }

    /// <summary>The chance that a positive scores above a negative, ties as half (Mann and Whitney 1947).</summary>
    public double Auc => _positive.Average(p => (Below(_negative, p) + (_negative.Length - Above(_negative, p))) / (2.0 * _negative.Length));

    /// <summary>The AUC with its 95 % interval (Hanley and McNeil 1982).</summary>
    public Metric AucMetric(string name)
    {
        const double Z = 1.959963984540054;
        var (a, n, m) = (Auc, _positive.Length, _negative.Length);
        var variance = (a * (1 - a) + (n - 1) * (a / (2 - a) - a * a) + (m - 1) * (2 * a * a / (1 + a) - a * a)) / ((double)n * m);
        var half = Z * Math.Sqrt(Math.Max(0, variance));
        return new(name, a, n + m, Math.Max(0, a - half), Math.Min(1, a + half), Direction.LowerIsSafer) { Unit = "" };
    }

    /// <summary>Positives above the lowest threshold that at most this share of the negatives passes.</summary>
    public int Found(double falsePositiveRate)
    {
        var allowed = (int)Math.Floor(falsePositiveRate * _negative.Length);
        var threshold = _negative[_negative.Length - 1 - Math.Min(allowed, _negative.Length - 1)];
        return allowed >= _negative.Length ? _positive.Length : Above(_positive, threshold);
    }

    private static int Below(double[] sorted, double value) => sorted.Count(s => s < value);

    private static int Above(double[] sorted, double value) => sorted.Count(s => s > value);
}
