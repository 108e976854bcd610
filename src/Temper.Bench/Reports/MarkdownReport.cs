namespace Temper.Bench.Reports;

/// <summary>The short form for a pull request or a terminal: verdict, map, phases, standings, failures.</summary>
public static class MarkdownReport
{
    public static string Write(StudyReport report)
    {
        var text = new MarkdownText();
        var grid = new StudyGrid(report.Cells, report.UtilityFloor);
        text.Line($"# {MarkdownText.Escape(report.Study)}\n\n{MarkdownText.Escape(report.Description)}\n\n**{MarkdownText.Escape(report.Verdict)}**\n");
        foreach (var note in report.Notes)
        {
            text.Line($"- {MarkdownText.Escape(note)}");
        }

        foreach (var model in grid.Models)
        {
            text.Line($"\n## Attack × defense: {MarkdownText.Escape(model)}\n\nSuccess (the larger of harm and ASR) with interval and n; then utility.\n");
            text.Table(["attack", "phase", .. grid.Defenses.Select(d => d.Id)],
                grid.Attacks.Select(a => (string[])[a.Id, a.Id == StudyGrid.None ? ReportText.Dash : ReportText.Words(a.Phase),
                    .. grid.Defenses.Select(d => Square(grid.At(model, a, d)))]));
        }

        var phases = PhaseTable.Of(grid);
        if (phases.Rows.Count > 0)
        {
            text.Line("\n## Across phases\n");
            text.Table(["attacks", .. phases.Columns], phases.Rows.Select(r => (string[])[ReportText.Words(r.Phase),
                .. r.Cells.Select(c => c.Worst is null ? $"{ReportText.Dash} ({c.Count})" : $"mean {ReportText.Percent(c.Mean)}, worst {ReportText.Percent(c.Worst)}, {c.Count}")]));
        }

        text.Line("\n## Defenses\n");
        text.Table(["defense", "worst success", "mean success", "utility", "of undefended utility", "over-refusal", "incomplete squares"], DefenseStanding.All(grid).Select(s => (string[])
        [
            s.Defense.Id, s.Worst is null ? $"{ReportText.Dash} (not measured)" : ReportText.Full(s.Worst.Success) + " under " + s.Worst.Attack.Id,
            ReportText.Percent(s.MeanSuccess), ReportText.Percent(s.Utility), ReportText.Percent(s.UtilityRatio), ReportText.Percent(s.OverRefusal), PageText.Number(s.Missing, "0"),
        ]));
        var searches = SearchOutcome.All(report.Cells, report.UtilityFloor);
        if (searches.Count > 0)
        {
            text.Line($"\n## The attacker's search\n\nOver the configurations that keep {ReportText.Percent(report.UtilityFloor)} of the utility; broken at a success of {ReportText.Percent(SearchOutcome.Broken)}.\n");
            text.Table(["model", "attack", "defense", "trials (at the floor)", "worst", "q90", "mean", "broken after", "worst configuration"], searches.Select(s => (string[])
                [s.Model, s.Attack, s.Defense, $"{s.Trials} ({s.AtFloor})", ReportText.Percent(s.Worst), ReportText.Percent(s.Q90), ReportText.Percent(s.Mean), HtmlTables.Breaking(s), s.Configuration]));
            text.Line("");
            text.Table(["model", "attack", "defense", "configuration", "success", "utility"], grid.Squares.Where(s => s.Configurations > 1).SelectMany(s => s.EachConfiguration).Select(s => (string[])
                [s.Model, s.Attack.Id, s.Defense.Id, s.Configuration, ReportText.Full(s.Success), ReportText.Percent(s.Of(MetricNames.Utility).Value)]));
        }

        foreach (var table in AnalysisTables.Of(report))
        {
            text.Line($"\n## {table.Title}\n\n{MarkdownText.Escape(table.Note)}\n");
            text.Table(table.Header, table.Rows);
        }

        Numbers(text, grid);
        var failed = StudyGrid.InOrder(report.Cells).Where(c => c.Status != CellStatus.Done).ToList();
        if (failed.Count > 0)
        {
            text.Line("\n## Failed cells\n");
            text.Table(["cell", "reason"], failed.Select(c => (string[])[c.Id, c.Reason ?? "no reason given"]));
        }

        text.Line($"\n{PageText.Number(report.Plan.Cells, "0")} cells; {PageText.Number(report.Plan.StagesRequested, "0")} stages asked for, "
            + $"{PageText.Number(report.Plan.StagesDistinct, "0")} computed ({HtmlTables.Saved(report.Plan)} saved by sharing).");
        text.Line("\n## Timing\n");
        text.Table(["what", "seconds"], [["wall clock", ReportText.Wall(report.Timing)],
            .. report.Timing.SecondsByStageKind.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => (string[])[s.Key, PageText.Number(s.Value, "0.0")])]);
        text.Line("");
        text.Table(["attack, undefended", "seconds a cell"], report.Cells.Where(c => c.Defense == StudyGrid.None).GroupBy(c => c.Attack, StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => (string[])[g.Key, PageText.Number(g.Average(c => c.Seconds), "0.0")]));
        text.Line($"\n{MarkdownText.Escape(report.Timing.Machine)}");
        return text.ToString();
    }

    // what each square measured, besides what the map says
    private static void Numbers(MarkdownText text, StudyGrid grid)
    {
        var squares = grid.Squares.Where(s => s.Done.Count > 0).ToArray();
        string[] names = [.. MetricNames.Of(squares.SelectMany(s => s.Done)).Where(n => squares.Any(s => s.Of(n).Value is not null))];
        text.Line("\n## Numbers\n\nMean over seeds, with the interval that spans those of all seeds, and n.\n");
        text.Table(["model", "attack", "defense", .. names], squares.Select(s => (string[])[s.Model, s.Attack.Id, s.Defense.Id,
            .. names.Select(n => s.Of(n) is { Value: not null } e ? $"{ReportText.Value(e)} {ReportText.Interval(e)}, {PageText.Number(e.N, "0")}" : ReportText.Dash)]));
    }

    private static string Configurations(Square square) =>
        square.Configurations > 1 ? $"; worst of {square.Configurations}, {MarkdownText.Escape(square.Configuration)}; mean {ReportText.Percent(square.MeanSuccess.Value)}" : "";

    private static string Square(Square square)
    {
        var seeds = square.Failed > 0 && square.Done.Count > 0 ? $"; {PageText.Number(square.Failed, "0")} seeds failed" : "";
        return square.Success.Value is null
            ? ReportText.Full(square.Success) : $"{ReportText.Full(square.Success)}; utility {ReportText.Percent(square.Of(MetricNames.Utility).Value)}{seeds}{Configurations(square)}";
    }
}
