namespace Temper.Bench.Reports;

/// <summary>Attack success and utility of one model, defenses down and attacks across; for the terminal.</summary>
public sealed record SummaryTable(string Model, IReadOnlyList<string> Attacks, IReadOnlyList<SummaryRow> Rows)
{
    public static IReadOnlyList<SummaryTable> Of(StudyReport report)
    {
        var grid = new StudyGrid(report.Cells, report.UtilityFloor);
        return
        [
            .. grid.Models.Select(model => new SummaryTable(model, [.. grid.Attacks.Select(a => a.Id)],
                [.. grid.Defenses.Select(d => Row(d.Id, [.. grid.Attacks.Select(a => grid.At(model, a, d))]))])),
        ];
    }

    private static SummaryRow Row(string defense, IReadOnlyList<Square> squares)
    {
        double? Mean(string metric) => squares.Select(s => s.Of(metric).Value).OfType<double>().ToArray() is { Length: > 0 } found ? found.Average() : null;
        return new(defense, [.. squares.Select(s => s.Success.Value)], Mean(MetricNames.Utility), Mean(MetricNames.OverRefusal));
    }
}

/// <param name="Squares">Attack success, null where not measured.</param>
/// <param name="Utility">Mean over the attacks.</param>
/// <param name="OverRefusal">Mean over the attacks.</param>
public sealed record SummaryRow(string Defense, IReadOnlyList<double?> Squares, double? Utility, double? OverRefusal);
