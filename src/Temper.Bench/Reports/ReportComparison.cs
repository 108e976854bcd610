using Temper.Core;

namespace Temper.Bench.Reports;

/// <summary>A metric of a cell that differs between two reports.</summary>
/// <param name="Worse">For the defender, and the intervals do not touch; a cell that failed or is gone is worse too.</param>
public sealed record ReportChange(string Cell, string Metric, string Before, string After, bool Worse, bool Better);

/// <summary>Two reports, cell by cell.</summary>
public static class ReportComparison
{
    public static IReadOnlyList<ReportChange> Of(StudyReport before, StudyReport after)
    {
        var later = after.Cells.ToDictionary(c => c.Id, StringComparer.Ordinal);
        var known = before.Cells.Select(c => c.Id).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. before.Cells.SelectMany(c => later.TryGetValue(c.Id, out var now) ? Of(c, now) : [new(c.Id, "cell", c.Status, "not there", true, false)]),
            .. after.Cells.Where(c => !known.Contains(c.Id)).Select(c => new ReportChange(c.Id, "cell", "not there", c.Status, false, false)),
        ];
    }

    private static IEnumerable<ReportChange> Of(CellResult before, CellResult after)
    {
        if (before.Status != after.Status)
        {
            yield return new(before.Id, "cell", before.Status, after.Status, after.Status == CellStatus.Failed, before.Status == CellStatus.Failed);
        }

        foreach (var was in before.Metrics)
        {
            var now = after.Metrics.FirstOrDefault(m => m.Name == was.Name);
            if (now is null || was.Value == now.Value)
            {
                continue;
            }

            var sign = was.Direction switch { Direction.LowerIsSafer => 1, Direction.HigherIsBetter => -1, _ => 0 };
            var apart = was.Low > now.High || now.Low > was.High;
            var moved = apart ? sign * Math.Sign((now.Value - was.Value) ?? 0) : 0;
            yield return new(before.Id, was.Name, Show(was), Show(now), moved > 0, moved < 0);
        }
    }

    private static string Show(Metric metric) => metric.Value is { } value ? $"{ReportText.Percent(value)} ({ReportText.Percent(metric.Low)} to {ReportText.Percent(metric.High)}, n {metric.N})" : metric.Reason ?? "not measured";
}
