namespace Temper.Bench.Reports;

/// <summary>One page that needs no network and runs no script.</summary>
public static class HtmlReport
{
    public static string Write(StudyReport report)
    {
        var page = new HtmlWriter();
        var grid = new StudyGrid(report.Cells, report.UtilityFloor);
        var standings = DefenseStanding.All(grid);
        Head(page, report);
        page.Line($"<main>");
        HtmlHeatMap.Write(page, grid);
        HtmlTables.CrossPhase(page, grid);
        HtmlPareto.Write(page, standings);
        HtmlTables.Searches(page, report);
        HtmlTables.Analysis(page, report);
        HtmlTables.Failed(page, report.Cells);
        HtmlHeatMap.Numbers(page, grid);
        HtmlCurves.Write(page, report.Cells);
        HtmlSamples.Write(page, report.Cells);
        HtmlTables.Plan(page, report);
        HtmlTables.Timing(page, report);
        page.Line($"</main></body></html>");
        return page.ToString();
    }

    private static void Head(HtmlWriter page, StudyReport report)
    {
        page.Head($"{report.Study} · Temper bench");
        page.Line($"<header>");
        page.Line($"<h1>{report.Study}</h1><p class=\"soft\">{report.Description}</p>");
        page.Line($"<p class=\"verdict\">{report.Verdict}</p>");
        if (report.Notes.Count > 0)
        {
            page.Line($"<ul>");
            foreach (var note in report.Notes)
            {
                page.Line($"<li>{note}</li>");
            }

            page.Line($"</ul>");
        }

        page.Line($"<nav aria-label=\"Sections\"><ul>");
        (string Id, string Title)[] sections =
        [
            ("map", "Attack × defense"), ("phases", "Across phases"), ("pareto", "Safety against utility"), .. AnalysisTables.Of(report).Select(t => (t.Id, t.Title)), ("failed", "Failed cells"),
            ("numbers", "All numbers"), ("curves", "Training"), ("samples", "Replies"), ("plan", "Plan and settings"), ("timing", "Timing"),
        ];
        foreach (var (id, title) in sections)
        {
            page.Line($"<li><a href=\"#{id}\">{title}</a></li>");
        }

        page.Line($"</ul></nav></header>");
    }
}
