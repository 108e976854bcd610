using System.Globalization;
using Spectre.Console;
using Temper.Bench.Execution;
using Temper.Bench.Reports;

namespace Temper.Cli.Commands;

/// <summary>The end of a run in the terminal: the verdict, the matrix, where the report lies.</summary>
internal static class BenchSummary
{
    private const string Stacked = " + ";
    private const int Wide = 110;
    private const int MostAcross = 9;

    public static int Write(StudySession session, string folder)
    {
        var report = session.Report();
        var files = ReportFiles.Write(report, folder);
        AnsiConsole.WriteLine();
        AnsiConsole.MarkupLine($"[bold]{Markup.Escape(report.Verdict)}[/]");
        var models = SummaryTable.Of(report);
        // in a narrow terminal a stack's name would take a line for each of its parts, and more
        var narrow = AnsiConsole.Profile.Width < Wide;
        var stacks = narrow ? models[0].Rows.Select(r => r.Defense).Where(d => d.Contains(Stacked, StringComparison.Ordinal)).ToArray() : [];
        string Name(string defense) => Array.IndexOf(stacks, defense) is >= 0 and var i ? $"stack {i + 1}" : narrow ? defense.Replace("-", "-\n", StringComparison.Ordinal) : defense;
        foreach (var table in Matrices(models, Name))
        {
            AnsiConsole.Write(table);
        }

        Array.ForEach(stacks, s => AnsiConsole.MarkupLine($"[grey]{Name(s)}: {Markup.Escape(s)}[/]"));

        Advice(report.Analysis);
        var failed = report.Cells.Where(c => c.Status == CellStatus.Failed).ToArray();
        foreach (var reason in failed.GroupBy(c => c.Reason, StringComparer.Ordinal))
        {
            AnsiConsole.MarkupLine($"[red]{reason.Count()} cells failed[/]  {Markup.Escape(reason.Key ?? "")}");
        }

        AnsiConsole.MarkupLine($"report: {Markup.Escape(files.First(f => f.EndsWith(".html", StringComparison.Ordinal)))} (and report.md, report.json, report.csv beside it){(report.Timing.WallSeconds > 0 ? $", {ProgressLine.Show(TimeSpan.FromSeconds(report.Timing.WallSeconds))}" : "")}");
        return failed.Length > 0 ? ExitCodes.Findings : ExitCodes.Done;
    }

    /// <summary>The defenses that lead, and what harms another.</summary>
    private static void Advice(StudyAnalysis analysis)
    {
        const int Leading = 3, Named = 5;
        var ranked = analysis.Ranking.Where(r => r.Rank is not null).ToArray();
        if (ranked.Length > 1)
        {
            foreach (var r in ranked.Take(Leading))
            {
                AnsiConsole.MarkupLine($"{r.Rank}. [bold]{Markup.Escape(r.Defense)}[/]  worst {Share(r.Worst)} %, mean {Share(r.Mean)} %, helps against {r.Helps} of {r.Compared}; {Markup.Escape(r.Reading)}");
            }
        }

        foreach (var i in analysis.Interferences.Take(Named))
        {
            AnsiConsole.MarkupLine($"[yellow]![/] {Markup.Escape(i.What)}");
        }
    }

    /// <summary>More attacks than fit side by side stand below each other; with one defense the models stand side by side.</summary>
    private static IEnumerable<Table> Matrices(IReadOnlyList<SummaryTable> models, Func<string, string> name)
    {
        if (models[0].Rows.Count == 1)
        {
            return [Down($"attack success in % under {Markup.Escape(models[0].Rows[0].Defense)}, attacks down, models across", models[0].Attacks, [.. models.Select(m => (m.Model, m.Rows[0]))])];
        }

        return models.Select(m => m.Attacks.Count <= MostAcross ? Matrix(m, name)
            : Down($"{Markup.Escape(m.Model)}: attack success in %, attacks down, defenses across", m.Attacks, [.. m.Rows.Select(r => (name(r.Defense), r))]));
    }

    private static Table Down(string title, IReadOnlyList<string> attacks, IReadOnlyList<(string Name, SummaryRow Row)> columns)
    {
        var table = new Table().Border(TableBorder.Rounded).Title(title).AddColumn("");
        foreach (var (header, _) in columns)
        {
            table.AddColumn(new TableColumn(Markup.Escape(header.Replace("-", "-\n", StringComparison.Ordinal))).RightAligned());
        }

        for (var i = 0; i < attacks.Count; i++)
        {
            table.AddRow([Markup.Escape(attacks[i]), .. columns.Select(c => Show(c.Row.Squares[i]))]);
        }

        table.AddEmptyRow();
        table.AddRow(["utility", .. columns.Select(c => Share(c.Row.Utility))]);
        return table.AddRow(["over-refusal", .. columns.Select(c => Share(c.Row.OverRefusal))]);
    }

    private static Table Matrix(SummaryTable summary, Func<string, string> name)
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
            table.AddRow([Markup.Escape(name(row.Defense)), .. row.Squares.Select(Show), Share(row.Utility), Share(row.OverRefusal)]);
        }

        return table;
    }

    private static string Show(double? success) => success is { } s ? $"[{(s >= 0.5 ? "red" : s >= 0.1 ? "yellow" : "green")}]{Percent(s)}[/]" : "[grey]n/a[/]";

    private static string Share(double? share) => share is { } s ? Percent(s) : "[grey]n/a[/]";

    private static string Percent(double share) => (100 * share).ToString("f0", CultureInfo.InvariantCulture);
}
