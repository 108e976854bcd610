using Temper.Bench.Store;

namespace Temper.Bench.Execution;

/// <summary>How long a study will take, from what its stages took so far.</summary>
internal static class Estimate
{
    // seconds beside those of a tuning, as the quickstart has them: for kinds of stages of which none has run yet
    private static readonly Dictionary<string, double> s_typical = new(StringComparer.Ordinal)
    {
        ["tune"] = 1, ["weight-map"] = 0.8, ["ask"] = 0.1, ["data-map"] = 0.05, ["checkpoint"] = 0.03, ["judge"] = 0.005, ["rows"] = 0.005,
    };

    /// <summary>Null while no stage has been computed.</summary>
    public static TimeSpan? Left(IReadOnlyList<StageRow> rows, int workers)
    {
        var known = rows.Where(r => r.State == StageState.Done && r.Seconds > 0).ToArray();
        if (known.Length == 0)
        {
            return null;
        }

        var mean = known.GroupBy(r => r.Kind, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Average(r => r.Seconds), StringComparer.Ordinal);
        var tuning = known.Sum(r => r.Seconds) / known.Sum(r => Typical(r.Kind));
        return TimeSpan.FromSeconds(rows.Where(r => r.State is StageState.Waiting or StageState.Running)
            .Sum(r => mean.TryGetValue(r.Kind, out var seconds) ? seconds : tuning * Typical(r.Kind)) / workers);
    }

    private static double Typical(string kind) => s_typical.GetValueOrDefault(kind, 0.1);
}
