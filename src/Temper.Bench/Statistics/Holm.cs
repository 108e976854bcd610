namespace Temper.Bench.Statistics;

/// <summary>Holm 1979: of many tests, the chance that any is called significant though there is nothing stays at the level.</summary>
public static class Holm
{
    /// <summary>The adjusted p of each, in the order given.</summary>
    public static IReadOnlyList<double> Adjust(IReadOnlyList<double> p)
    {
        var adjusted = new double[p.Count];
        var (least, rank) = (0.0, 0);
        foreach (var i in Enumerable.Range(0, p.Count).OrderBy(i => p[i]))
        {
            least = Math.Max(least, Math.Min(1, (p.Count - rank++) * p[i]));
            adjusted[i] = least;
        }

        return adjusted;
    }

    /// <summary>The same for what holds comparisons.</summary>
    internal static IReadOnlyList<T> Adjust<T>(IReadOnlyList<T> found, Func<T, double> p, Func<T, double, T> with) => [.. found.Zip(Adjust([.. found.Select(p)]), with)];
}
