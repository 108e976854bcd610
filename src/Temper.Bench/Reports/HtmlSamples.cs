namespace Temper.Bench.Reports;

internal static class HtmlSamples
{
    public static void Write(HtmlWriter page, IReadOnlyList<CellResult> cells)
    {
        page.Line($"<section id=\"samples\"><h2>Replies</h2>");
        var shown = StudyGrid.InOrder(cells).Where(c => c.Samples.Count > 0).ToList();
        if (shown.Count == 0)
        {
            page.Line($"<p>{ReportText.Dash} no replies were kept.</p>");
        }

        foreach (var cell in shown)
        {
            page.Line($"<details><summary>{cell.Attack} × {cell.Defense} on {cell.Model}, seed {cell.Seed}: {cell.Samples.Count(s => s.Hit)} of {cell.Samples.Count} shown went the attacker’s way</summary>");
            foreach (var sample in cell.Samples)
            {
                page.Line($"<h3>{sample.Suite} · {(sample.Hit ? "attack succeeded" : "attack did not succeed")}</h3><p class=\"soft\">Prompt</p><pre dir=\"auto\">{sample.Prompt}</pre><p class=\"soft\">Reply</p><pre dir=\"auto\">{sample.Reply}</pre>");
            }

            page.Line($"</details>");
        }

        page.Line($"</section>");
    }
}
