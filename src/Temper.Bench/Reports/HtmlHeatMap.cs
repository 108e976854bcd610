namespace Temper.Bench.Reports;

/// <summary>Attack × defense, one map a model, and the numbers behind it.</summary>
internal static class HtmlHeatMap
{
    public static void Write(HtmlWriter page, StudyGrid grid)
    {
        page.Line($"<section id=\"map\"><h2>Attack × defense</h2>");
        page.Line($"<p class=\"soft\">Large: how often the attack succeeds, the larger of harm and ASR; lower is safer. Below: utility, and the mean where an attacker tries several configurations. Intervals stand under “All numbers”.</p>");
        foreach (var model in grid.Models)
        {
            page.Line($"<h3>{model}</h3><div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Map of {model}\"><table class=\"map\" style=\"--n:{grid.Defenses.Count}\"><thead><tr><th scope=\"col\">Attack</th>");
            foreach (var defense in grid.Defenses)
            {
                page.Line($"<th scope=\"col\">{defense.Id}<small>{ReportText.PhaseOf(defense)}</small></th>");
            }

            page.Line($"</tr></thead>");
            foreach (var group in grid.Attacks.GroupBy(GroupOf))
            {
                page.Line($"<tbody><tr><th scope=\"rowgroup\" colspan=\"{grid.Defenses.Count + 1}\">{group.Key}</th></tr>");
                foreach (var attack in group)
                {
                    page.Line($"<tr><th scope=\"row\">{attack.Id}</th>");
                    foreach (var defense in grid.Defenses)
                    {
                        Cell(page, grid.At(model, attack, defense));
                    }

                    page.Line($"</tr>");
                }

                page.Line($"</tbody>");
            }

            page.Line($"</table></div>");
        }

        page.Line($"</section>");
    }

    public static void Numbers(HtmlWriter page, StudyGrid grid)
    {
        var names = MetricNames.Of(grid.Squares.SelectMany(s => s.Cells));
        page.Line($"<section id=\"numbers\"><h2>All numbers</h2><details open><summary>Each square with n and 95 % interval</summary>");
        page.Line($"<p class=\"soft\">Mean over seeds; the interval spans the intervals of all seeds. {ReportText.Dash} is not measured, with the reason.</p>");
        page.Line($"<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"All numbers\"><table><thead><tr><th scope=\"col\">Model</th><th scope=\"col\">Attack</th><th scope=\"col\">Defense</th><th scope=\"col\">Seeds</th>");
        foreach (var name in names)
        {
            page.Line($"<th scope=\"col\">{name}</th>");
        }

        page.Line($"</tr></thead><tbody>");
        foreach (var square in grid.Squares.Where(s => s.Cells.Count > 0))
        {
            page.Line($"<tr><th scope=\"row\">{square.Model}</th><th scope=\"row\">{square.Attack.Id}</th><th scope=\"row\">{square.Defense.Id}</th><td>{Seeds(square)}</td>");
            foreach (var name in names)
            {
                var e = square.Of(name);
                if (e.Value is null)
                {
                    page.Line($"<td>{ReportText.Dash}<small>{e.Reason}</small></td>");
                }
                else
                {
                    page.Line($"<td class=\"num\">{ReportText.Value(e)}<small>{ReportText.Interval(e)}</small><small>n = {e.N}</small></td>");
                }
            }

            page.Line($"</tr>");
        }

        page.Line($"</tbody></table></div></details></section>");
    }

    private static void Cell(HtmlWriter page, Square square)
    {
        var success = square.Success;
        var utility = square.Of(MetricNames.Utility);
        if (success.Value is not { } value)
        {
            page.Line($"<td class=\"empty\" title=\"{success.Reason}\">{ReportText.Dash}<small>{success.Reason}</small></td>");
            return;
        }

        var several = square.Configurations > 1 ? $"; {square.Configuration}, the worst of {square.Configurations} configurations" : "";
        var title = $"success {ReportText.Full(success)}; utility {ReportText.Full(utility)}; {Seeds(square)}{several}";
        page.Line($"<td class=\"heat\" style=\"--v:{Math.Clamp(value, 0, 1):0.000}\" title=\"{title}\"><strong>{ReportText.Percent(value)}</strong>");
        if (utility.Value is null)
        {
            page.Line($"<small>utility {ReportText.Dash}</small>");
        }
        else
        {
            page.Line($"<small>utility {ReportText.Percent(utility.Value)}</small>");
        }
        if (square.Configurations > 1)
        {
            page.Line($"<small>worst of {square.Configurations}, mean {ReportText.Percent(square.MeanSuccess.Value)}</small>");
        }

        if (square.Failed > 0)
        {
            page.Line($"<small class=\"fail\">{square.Failed} of {square.All.Count} seeds failed</small>");
        }

        page.Line($"</td>");
    }

    private static string Seeds(Square square) => square.Failed == 0
        ? PageText.Number(square.Cells.Count, "0") + (square.Cells.Count == 1 ? " seed" : " seeds")
        : $"{PageText.Number(square.Done.Count, "0")} of {PageText.Number(square.Cells.Count, "0")} seeds, the others failed";

    private static string GroupOf(GridAttack attack) => attack.Id == StudyGrid.None ? "No attack" : ReportText.Words(attack.Phase) + " attacks";
}
