namespace Temper.Bench.Reports;

/// <summary>Mean safety against utility, one dot a defense with a line down to its worst case, and the same as a table.</summary>
internal static class HtmlPareto
{
    private const double Width = 640, Height = 400, Left = 58, Right = 16, Top = 16, Bottom = 46;

    private readonly record struct Box(double X, double Y, double W, double H)
    {
        public bool Meets(Box o) => X < o.X + o.W && o.X < X + W && Y < o.Y + o.H && o.Y < Y + H;
    }

    public static void Write(HtmlWriter page, IReadOnlyList<DefenseStanding> standings)
    {
        page.Line($"<section id=\"pareto\"><h2>Safety against utility</h2>");
        var dots = standings.Where(s => s.Worst is not null && s.Utility is not null).ToList();
        if (dots.Count == 0)
        {
            page.Line($"<p>{ReportText.Dash} no defense has both success and utility measured.</p>");
        }
        else
        {
            Picture(page, dots, standings);
        }

        Table(page, standings);
        page.Line($"</section>");
    }

    private static void Picture(HtmlWriter page, List<DefenseStanding> dots, IReadOnlyList<DefenseStanding> all)
    {
        var low = Math.Max(0, Math.Floor(dots.Min(d => d.Utility!.Value) * 10 - 0.5) / 10);
        var high = Math.Min(1, Math.Ceiling(dots.Max(d => d.Utility!.Value) * 10 + 0.5) / 10);
        high = high > low ? high : low + 0.1;
        double X(double utility) => Left + (utility - low) / (high - low) * (Width - Left - Right);
        double Y(double safety) => Height - Bottom - Math.Clamp(safety, 0, 1) * (Height - Top - Bottom);
        page.Line($"<svg class=\"pareto\" viewBox=\"0 0 {Width:0} {Height:0}\" role=\"img\" aria-label=\"Safety against utility; the table below has the same numbers\">");
        for (var i = 0; i <= 5; i++)
        {
            double safety = i / 5.0, y = Y(safety);
            page.Line($"<line class=\"rule\" x1=\"{Left:0}\" y1=\"{y:0.#}\" x2=\"{Width - Right:0}\" y2=\"{y:0.#}\"/><text class=\"tick\" x=\"{Left - 8:0}\" y=\"{y + 4:0.#}\" text-anchor=\"end\">{safety * 100:0} %</text>");
        }

        var tens = (int)Math.Round((high - low) * 10);
        for (var i = 0; i <= tens; i++)
        {
            double utility = low + i / 10.0, x = X(utility);
            page.Line($"<line class=\"rule\" x1=\"{x:0.#}\" y1=\"{Top:0}\" x2=\"{x:0.#}\" y2=\"{Height - Bottom:0}\"/><text class=\"tick\" x=\"{x:0.#}\" y=\"{Height - Bottom + 17:0}\" text-anchor=\"{(i == tens ? "end" : "middle")}\">{utility * 100:0} %</text>");
        }

        page.Line($"<text x=\"{(Left + Width - Right) / 2:0}\" y=\"{Height - 8:0}\" text-anchor=\"middle\">utility, mean →</text>");
        page.Line($"<text transform=\"translate(13 {(Height - Bottom + Top) / 2:0}) rotate(-90)\" text-anchor=\"middle\">safety, 1 − mean success →</text>");
        var places = dots.Select(d => (Standing: d, X: X(d.Utility!.Value), Y: Y(1 - d.MeanSuccess!.Value))).OrderBy(p => p.Y).ThenBy(p => p.X).ToList();
        List<Box> taken = [.. places.Select(p => new Box(p.X - 6, p.Y - 6, 12, 12))];
        foreach (var (standing, x, y) in places)
        {
            var text = Short(standing.Defense.Id);
            var label = Free(x, y, text.Length * 6.8 + 4, taken);
            taken.Add(label);
            page.Line($"<g><title>{standing.Defense.Id}: mean success {ReportText.Percent(standing.MeanSuccess)}, worst {ReportText.Percent(standing.Worst!.Success.Value)}, utility {ReportText.Percent(standing.Utility)}</title>");
            if (Math.Abs(label.Y + 7 - y) > 16)
            {
                page.Line($"<line class=\"lead\" x1=\"{x:0.#}\" y1=\"{y:0.#}\" x2=\"{Math.Clamp(x, label.X, label.X + label.W):0.#}\" y2=\"{(label.Y > y ? label.Y : label.Y + 14):0.#}\"/>");
            }

            page.Line($"<line class=\"lead\" x1=\"{x:0.#}\" y1=\"{y:0.#}\" x2=\"{x:0.#}\" y2=\"{Y(1 - standing.Worst.Success.Value!.Value):0.#}\"/>");
            page.Line($"<circle class=\"{(standing.OnFront(all) ? "dot front" : "dot")}\" cx=\"{x:0.#}\" cy=\"{y:0.#}\" r=\"5\"/><text x=\"{label.X + 2:0.#}\" y=\"{label.Y + 11:0.#}\">{text}</text></g>");
        }

        page.Line($"</svg><p class=\"soft\">The line below a dot reaches down to its worst case. Filled: no other completely measured defense is at least as safe and as useful. Hollow: some other is, or cells are missing.</p>");
    }

    /// <summary>The nearest place beside, above or below the dot where the label covers nothing.</summary>
    private static Box Free(double x, double y, double width, List<Box> taken)
    {
        const double High = 14;
        for (var far = 0; far < 12; far++)
        {
            foreach (var side in new[] { -far, far })
            {
                foreach (var left in new[] { x + 9, x - 9 - width, x - width / 2 })
                {
                    var box = new Box(left, y - 7 + side * 15, width, High);
                    if (box.X >= Left && box.X + width <= Width && box.Y >= 0 && box.Y + High <= Height - Bottom && !taken.Any(box.Meets))
                    {
                        return box;
                    }
                }
            }
        }

        return new(Math.Clamp(x + 9, Left, Math.Max(Left, Width - width)), y - 7, width, High);
    }

    private static void Table(HtmlWriter page, IReadOnlyList<DefenseStanding> standings)
    {
        page.Line($"<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Standing of the defenses\"><table><caption>Over all models and attacks, plain tuning among them. Holds: the interval of success lies below the undefended one.</caption><thead><tr><th scope=\"col\">Defense</th><th scope=\"col\">Worst success</th><th scope=\"col\">Mean success</th><th scope=\"col\">Utility</th><th scope=\"col\">Of undefended utility</th><th scope=\"col\">Over-refusal</th><th scope=\"col\">Holds against</th><th scope=\"col\">Incomplete squares</th></tr></thead><tbody>");
        foreach (var s in standings)
        {
            page.Line($"<tr><th scope=\"row\">{s.Defense.Id}<small>{ReportText.PhaseOf(s.Defense)}</small></th>");
            if (s.Worst is { } w)
            {
                page.Line($"<td class=\"num\">{ReportText.Percent(w.Success.Value)}<small>{w.Attack.Id} on {w.Model}</small></td>");
            }
            else
            {
                page.Line($"<td>{ReportText.Dash}<small>not measured</small></td>");
            }

            page.Line($"<td class=\"num\">{ReportText.Percent(s.MeanSuccess)}</td><td class=\"num\">{ReportText.Percent(s.Utility)}</td>");
            if (s.UtilityRatio is null)
            {
                page.Line($"<td>{ReportText.Dash}<small>utility not measured on both sides</small></td>");
            }
            else
            {
                page.Line($"<td class=\"num\">{ReportText.Percent(s.UtilityRatio)}<small>{(s.Defense.IsNone ? "" : s.UtilityRatio >= DefenseStanding.UtilityFloor ? "above the floor" : "below the floor")}</small></td>");
            }

            page.Line($"<td class=\"num\">{ReportText.Percent(s.OverRefusal)}<small>{(s.RefusesTooMuch ? "too much to be ranked" : "")}</small></td>");
            if (s.Defense.IsNone)
            {
                page.Line($"<td>{ReportText.Dash}<small>undefended</small></td><td class=\"num\">{s.Missing}</td></tr>");
            }
            else
            {
                page.Line($"<td class=\"num\">{s.Holds} of {s.Compared}</td><td class=\"num\">{s.Missing}</td></tr>");
            }
        }

        page.Line($"</tbody></table></div>");
    }

    private static string Short(string id)
    {
        var visible = PageText.Visible(id);
        return visible.Length <= 28 ? visible : visible[..27] + "…";
    }
}
