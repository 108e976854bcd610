using System.Globalization;
using Spectre.Console;
using Temper.Bench.Execution;
using Temper.Bench.Reports;

namespace Temper.Cli.Commands;

/// <summary>The end of a run in the terminal: the verdict, the matrix, where the report lies.</summary>
internal static class BenchSummary
{
    public static int Write(StudySession session, string folder)
    {
        var report = session.Report();
        var files = ReportFiles.Write(report, folder);
        AnsiConsole.WriteLine();
        AnsiConsole.MarkupLine($"[bold]{Markup.Escape(report.Verdict)}[/]");
        foreach (var model in SummaryTable.Of(report))
        {
            AnsiConsole.Write(Matrix(model));
        }

        var failed = report.Cells.Where(c => c.Status == CellStatus.Failed).ToArray();
        foreach (var reason in failed.GroupBy(c => c.Reason, StringComparer.Ordinal))
        {
            AnsiConsole.MarkupLine($"[red]{reason.Count()} cells failed[/]  {Markup.Escape(reason.Key ?? "")}");
        }

        AnsiConsole.MarkupLine($"report: {Markup.Escape(files.First(f => f.EndsWith(".html", StringComparison.Ordinal)))} (and report.md, report.json, report.csv beside it), {ProgressLine.Show(TimeSpan.FromSeconds(report.Timing.WallSeconds))}");
        return failed.Length > 0 ? ExitCodes.Findings : ExitCodes.Done;
    }

    private static Table Matrix(SummaryTable summary)
    {
        var table = new Table().Border(TableBorder.Rounded).Title($"{Markup.Escape(summary.Model)}: attack success in %, defenses down, attacks across").AddColumn("");
        foreach (var attack in summary.Attacks)
        {
            table.AddColumn(new TableColumn(Markup.Escape(attack.Replace("-", "-\n", StringComparison.Ordinal))).RightAligned().Padding(0, 0));
        }

        table.AddColumn(new TableColumn("utility").RightAligned().Padding(0, 0));
        table.AddColumn(new TableColumn("over-\nrefusal").RightAligned().Padding(0, 0));

        foreach (var row in summary.Rows)
        {
            table.AddRow([Markup.Escape(row.Defense.Replace(" + ", " +\n", StringComparison.Ordinal).Replace("-", "-\n", StringComparison.Ordinal)), .. row.Squares.Select(Show), Share(row.Utility), Share(row.OverRefusal)]);
        }

        return table;
    }

    private static string Show(double? success) => success is { } s ? $"[{(s >= 0.5 ? "red" : s >= 0.1 ? "yellow" : "green")}]{Percent(s)}[/]" : "[grey]n/a[/]";

    private static string Share(double? share) => share is { } s ? Percent(s) : "[grey]n/a[/]";

    private static string Percent(double share) => (100 * share).ToString("f0", CultureInfo.InvariantCulture);
}
