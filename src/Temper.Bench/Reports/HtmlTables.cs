using Temper.Core;

namespace Temper.Bench.Reports;

internal static class HtmlTables
{
    public static void CrossPhase(HtmlWriter page, StudyGrid grid)
    {
        page.Line($"<section id=\"phases\"><h2>Across phases</h2>");
        var table = PhaseTable.Of(grid);
        if (table.Rows.Count == 0)
        {
            page.Line($"<p>{ReportText.Dash} no attack in this study.</p></section>");
            return;
        }

        page.Line($"<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Success by phase\"><table><caption>Success of the attacks of a phase against the defenses of a phase: mean, worst, and how many squares were measured.</caption><thead><tr><th scope=\"col\">Attacks</th>");
        foreach (var column in table.Columns)
        {
            page.Line($"<th scope=\"col\">{column}</th>");
        }

        page.Line($"</tr></thead><tbody>");
        foreach (var row in table.Rows)
        {
            page.Line($"<tr><th scope=\"row\">{ReportText.Words(row.Phase)}</th>");
            foreach (var cell in row.Cells)
            {
                if (cell.Worst is null)
                {
                    page.Line($"<td class=\"empty\">{ReportText.Dash}<small>{cell.Count}</small></td>");
                }
                else
                {
                    page.Line($"<td class=\"num\">mean {ReportText.Percent(cell.Mean)}<small>worst {ReportText.Percent(cell.Worst)}</small><small>{cell.Count}</small></td>");
                }
            }

            page.Line($"</tr>");
        }

        page.Line($"</tbody></table></div></section>");
    }

    /// <summary>What the study says about its defenses beyond each cell.</summary>
    public static void Analysis(HtmlWriter page, StudyReport report)
    {
        foreach (var table in AnalysisTables.Of(report))
        {
            page.Line($"<section id=\"{table.Id}\"><h2>{table.Title}</h2><p class=\"soft\">{table.Note}</p><div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{table.Title}\"><table><thead><tr>");
            foreach (var header in table.Header)
            {
                page.Line($"<th scope=\"col\">{header}</th>");
            }

            page.Line($"</tr></thead><tbody>");
            foreach (var row in table.Rows)
            {
                page.Line($"<tr>");
                foreach (var field in row)
                {
                    page.Line($"<td>{field}</td>");
                }

                page.Line($"</tr>");
            }

            page.Line($"</tbody></table></div></section>");
        }
    }

    /// <summary>Worst, q90 and mean over what the attacker tried, and what it took to break the defense.</summary>
    public static void Searches(HtmlWriter page, StudyReport report)
    {
        var searches = SearchOutcome.All(report.Cells, report.UtilityFloor);
        if (searches.Count == 0)
        {
            return;
        }

        page.Line($"<section id=\"searches\"><h2>The attacker's search</h2><div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Searches\"><table><caption>Over the configurations that keep {ReportText.Percent(report.UtilityFloor)} of the utility; broken at a success of {ReportText.Percent(SearchOutcome.Broken)}.</caption>");
        page.Line($"<thead><tr><th scope=\"col\">Model</th><th scope=\"col\">Attack</th><th scope=\"col\">Defense</th><th scope=\"col\">Trials</th><th scope=\"col\">Worst</th><th scope=\"col\">q90</th><th scope=\"col\">Mean</th><th scope=\"col\">Broken after</th><th scope=\"col\">Worst configuration</th></tr></thead><tbody>");
        foreach (var s in searches)
        {
            page.Line($"<tr><th scope=\"row\">{s.Model}</th><td>{s.Attack}</td><td>{s.Defense}</td><td class=\"num\">{s.Trials}<small>{s.AtFloor} at the floor</small></td><td class=\"num\">{ReportText.Percent(s.Worst)}</td><td class=\"num\">{ReportText.Percent(s.Q90)}</td><td class=\"num\">{ReportText.Percent(s.Mean)}</td><td>{Breaking(s)}</td><td>{s.Configuration}</td></tr>");
        }

        page.Line($"</tbody></table></div><details><summary>Each configuration</summary><table><thead><tr><th scope=\"col\">Model</th><th scope=\"col\">Attack</th><th scope=\"col\">Defense</th><th scope=\"col\">Configuration</th><th scope=\"col\">Success</th><th scope=\"col\">Utility</th></tr></thead><tbody>");
        foreach (var s in new StudyGrid(report.Cells, report.UtilityFloor).Squares.Where(s => s.Configurations > 1).SelectMany(s => s.EachConfiguration))
        {
            page.Line($"<tr><th scope=\"row\">{s.Model}</th><td>{s.Attack.Id}</td><td>{s.Defense.Id}</td><td>{s.Configuration}</td><td class=\"num\">{ReportText.Full(s.Success)}</td><td class=\"num\">{ReportText.Percent(s.Of(MetricNames.Utility).Value)}</td></tr>");
        }

        page.Line($"</tbody></table></details></section>");
    }

    public static string Breaking(SearchOutcome s) => s.TrialsToBreak is { } trials ? $"{trials} {(trials == 1 ? "trial" : "trials")}, {s.StepsToBreak} steps" : "not within the budget";

    public static void Failed(HtmlWriter page, IReadOnlyList<CellResult> cells)
    {
        var failed = StudyGrid.InOrder(cells).Where(c => c.Status != CellStatus.Done).ToList();
        page.Line($"<section id=\"failed\"><h2>Failed cells</h2>");
        if (failed.Count == 0)
        {
            page.Line($"<p>None of {cells.Count} cells failed.</p></section>");
            return;
        }

        page.Line($"<p class=\"fail\">{failed.Count} of {cells.Count} cells failed.</p><table><thead><tr><th scope=\"col\">Cell</th><th scope=\"col\">Model</th><th scope=\"col\">Attack</th><th scope=\"col\">Defense</th><th scope=\"col\">Seed</th><th scope=\"col\">Reason</th></tr></thead><tbody>");
        foreach (var c in failed)
        {
            page.Line($"<tr><th scope=\"row\">{c.Id}</th><td>{c.Model}</td><td>{c.Attack}</td><td>{c.Defense}</td><td class=\"num\">{c.Seed}</td><td>{c.Reason ?? "no reason given"}</td></tr>");
        }

        page.Line($"</tbody></table></section>");
    }

    public static void Plan(HtmlWriter page, StudyReport report)
    {
        var plan = report.Plan;
        page.Line($"<section id=\"plan\"><h2>Plan and settings</h2><table><caption>What the study cost: stages that cells share are computed once.</caption>");
        page.Line($"<tbody><tr><th scope=\"row\">Cells</th><td class=\"num\">{plan.Cells}</td></tr><tr><th scope=\"row\">Stages asked for</th><td class=\"num\">{plan.StagesRequested}</td></tr><tr><th scope=\"row\">Stages computed</th><td class=\"num\">{plan.StagesDistinct}</td></tr><tr><th scope=\"row\">Saved by sharing</th><td class=\"num\">{Saved(plan)}</td></tr></tbody></table>");
        page.Line($"<details><summary>Settings as resolved</summary><pre tabindex=\"0\">{report.SettingsYaml}</pre></details></section>");
    }

    public static string Saved(PlanSummary plan) =>
        ReportText.Percent(plan.StagesRequested > 0 ? 1 - (double)plan.StagesDistinct / plan.StagesRequested : null);

    public static void Timing(HtmlWriter page, StudyReport report)
    {
        page.Line($"<section id=\"timing\"><h2>Timing</h2><p class=\"soft\">The one section that may differ when the study runs again.</p>");
        page.Line($"<table><caption>{report.Timing.Machine}</caption><tbody><tr><th scope=\"row\">Wall clock</th><td class=\"num\">{ReportText.Wall(report.Timing)} s</td></tr>");
        foreach (var (kind, seconds) in report.Timing.SecondsByStageKind.OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            page.Line($"<tr><th scope=\"row\">{kind} stages</th><td class=\"num\">{seconds:0.0} s</td></tr>");
        }

        foreach (var attack in report.Cells.Where(c => c.Defense == StudyGrid.None).GroupBy(c => c.Attack, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            page.Line($"<tr><th scope=\"row\">undefended cells under {attack.Key}, mean</th><td class=\"num\">{attack.Average(c => c.Seconds):0.0} s</td></tr>");
        }

        foreach (var defense in report.Cells.GroupBy(c => c.Defense, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            page.Line($"<tr><th scope=\"row\">cells with {defense.Key}, mean</th><td class=\"num\">{defense.Average(c => c.Seconds):0.0} s</td></tr>");
        }

        page.Line($"</tbody></table></section>");
    }
}
