using Temper.Core;

namespace Temper.Bench.Reports;

internal sealed record PhaseCell(double? Mean, double? Worst, string Count);

internal sealed record PhaseRow(Phase Phase, IReadOnlyList<PhaseCell> Cells);

/// <summary>Do the defenses of one phase hold against the attacks of another?</summary>
internal sealed record PhaseTable(IReadOnlyList<string> Columns, IReadOnlyList<PhaseRow> Rows)
{
    public static PhaseTable Of(StudyGrid grid)
    {
        // Plain tuning belongs to no phase of attack and would only thin out the means.
        var squares = grid.Squares.Where(s => s.Cells.Count > 0 && s.Attack.Id != StudyGrid.None).ToList();
        var columns = grid.Defenses.Select(ReportText.PhaseOf).Distinct(StringComparer.Ordinal).ToList();
        return new(columns,
        [
            .. squares.Select(s => s.Attack.Phase).Distinct().Order()
                .Select(phase => new PhaseRow(phase, [.. columns.Select(column =>
                    Cell([.. squares.Where(s => s.Attack.Phase == phase && ReportText.PhaseOf(s.Defense) == column)]))])),
        ]);
    }

    private static PhaseCell Cell(IReadOnlyList<Square> squares)
    {
        var values = squares.Select(s => s.Success.Value).OfType<double>().ToList();
        var count = squares.Count == 0 ? "not in this study" : $"{PageText.Number(values.Count, "0")} of {PageText.Number(squares.Count, "0")} measured";
        return values.Count == 0 ? new(null, null, count) : new(values.Average(), values.Max(), count);
    }
}
