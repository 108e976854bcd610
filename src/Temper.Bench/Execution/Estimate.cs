using Temper.Bench.Store;

namespace Temper.Bench.Execution;

/// <summary>How long a study will take, from what its stages took so far.</summary>
internal static class Estimate
{
    /// <summary>Null while no stage has been computed.</summary>
    public static TimeSpan? Left(IReadOnlyList<StageRow> rows, int workers)
    {
        var known = rows.Where(r => r.State == StageState.Done && r.Seconds > 0).ToArray();
        if (known.Length == 0)
        {
            return null;
        }

        var mean = known.GroupBy(r => r.Kind, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Average(r => r.Seconds), StringComparer.Ordinal);
        var overall = known.Average(r => r.Seconds);
        return TimeSpan.FromSeconds(rows.Where(r => r.State is StageState.Waiting or StageState.Running).Sum(r => mean.GetValueOrDefault(r.Kind, overall)) / workers);
    }
}
