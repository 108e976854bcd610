namespace Temper.Bench.Reports;

/// <summary>The training loss of each cell as a small line, with what the monitors saw.</summary>
internal static class HtmlCurves
{
    private const double Width = 240, Height = 56, Pad = 6;
    private const int MostPoints = 240;

    public static void Write(HtmlWriter page, IReadOnlyList<CellResult> cells)
    {
        page.Line($"<section id=\"curves\"><h2>Training</h2>");
        var shown = StudyGrid.InOrder(cells).Where(c => c.Curve.Count > 0 || c.Events.Count > 0).ToList();
        if (shown.Count == 0)
        {
            page.Line($"<p>{ReportText.Dash} no training curve was recorded.</p>");
        }
        else
        {
            page.Line($"<p class=\"soft\">Loss over steps, each curve on its own scale. A dashed line with a triangle is an event of a monitor.</p>");
        }
        foreach (var attack in shown.GroupBy(c => c.Attack, StringComparer.Ordinal))
        {
            page.Line($"<details open><summary>{attack.Key}</summary><div class=\"charts\">");
            foreach (var cell in attack)
            {
                Figure(page, cell);
            }

            page.Line($"</div></details>");
        }

        page.Line($"</section>");
    }

    private static void Figure(HtmlWriter page, CellResult cell)
    {
        var finite = cell.Curve.Where(p => double.IsFinite(p.Loss)).OrderBy(p => p.Step).ToList();
        var diverged = cell.Curve.Where(p => !double.IsFinite(p.Loss)).OrderBy(p => p.Step).FirstOrDefault();
        var words = finite.Count == 0 ? "no finite loss" : $"loss {PageText.Number(finite[0].Loss, "0.000")} → {PageText.Number(finite[^1].Loss, "0.000")} in {PageText.Number(finite[^1].Step, "0")} steps";
        page.Line($"<figure><figcaption><strong>{cell.Defense}</strong>{cell.Model}, seed {cell.Seed}: {words}</figcaption>");
        if (finite.Count > 0)
        {
            Picture(page, cell, finite, words);
        }

        if (diverged is not null)
        {
            page.Line($"<p class=\"fail\">Not a finite number from step {diverged.Step}.</p>");
        }

        if (cell.Events.Count > 0)
        {
            page.Line($"<ul>");
            foreach (var e in cell.Events.OrderBy(e => e.Step))
            {
                page.Line($"<li>Step {e.Step}: {e.Text}</li>");
            }

            page.Line($"</ul>");
        }

        page.Line($"</figure>");
    }

    private static void Picture(HtmlWriter page, CellResult cell, List<CurvePoint> points, string words)
    {
        double first = points[0].Step, last = points[^1].Step, low = points.Min(p => p.Loss), high = points.Max(p => p.Loss);
        double X(double step) => Pad + (last > first ? Math.Clamp((step - first) / (last - first), 0, 1) : 0.5) * (Width - 2 * Pad);
        double Y(double loss) => Height - Pad - (high > low ? (loss - low) / (high - low) : 0.5) * (Height - 3 * Pad);
        var stride = (points.Count + MostPoints - 1) / MostPoints;
        var line = string.Join(' ', points.Where((_, i) => i % stride == 0 || i == points.Count - 1)
            .Select(p => $"{PageText.Number(X(p.Step), "0.#")},{PageText.Number(Y(p.Loss), "0.#")}"));
        page.Line($"<svg viewBox=\"0 0 {Width:0} {Height:0}\" role=\"img\" aria-label=\"{words}\"><line class=\"rule\" x1=\"0\" y1=\"{Height - 1:0}\" x2=\"{Width:0}\" y2=\"{Height - 1:0}\"/><polyline class=\"curve\" points=\"{line}\"/>");
        foreach (var e in cell.Events)
        {
            var x = X(e.Step);
            page.Line($"<g><title>step {e.Step}: {e.Text}</title><line class=\"event\" x1=\"{x:0.#}\" y1=\"6\" x2=\"{x:0.#}\" y2=\"{Height:0}\"/><path class=\"mark\" d=\"M{x - 4:0.#} 0h8l-4 7z\"/></g>");
        }

        page.Line($"</svg>");
    }
}
