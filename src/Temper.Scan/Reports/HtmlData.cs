using Temper.Core.Pages;
using Temper.Scan.Data;

namespace Temper.Scan.Reports;

/// <summary>The picture of a data set on the page: what goes with what, how answers repeat, how long rows are, and which rows to read first.</summary>
internal static class HtmlData
{
    public static void Write(HtmlWriter page, IReadOnlyList<FileReport> files)
    {
        foreach (var file in files)
        {
            if (file.Data is { } data)
            {
                page.Line($"<section><h2>Data set {file.Path}</h2>");
                Summary(page, data);
                Triggers(page, data);
                Answers(page, data);
                Charts(page, data);
                Worst(page, data);
                page.Line($"</section>");
            }
        }
    }

    private static void Summary(HtmlWriter page, DataProfile data)
    {
        var schemas = string.Join(", ", data.Schemas.Select(s => $"{s.Key} {s.Value}"));
        page.Line($"<p>{data.Rows.ToString(System.Globalization.CultureInfo.InvariantCulture)} rows ({schemas}), of which {Count(data.Duplicates)} stand twice and {Count(data.NearDuplicates)} are nearly the same as an earlier one.");
        if (data.Affirmative is { } agreeing)
        {
            page.Line($"{100 * agreeing:0.#} % of the answers open by agreeing.");
        }

        if (data.Sampled < data.Rows)
        {
            page.Line($"Triggers were looked for in a sample of {Count(data.Sampled)} rows and in those of frequent answers.");
        }

        if (data.Clean is { } clean)
        {
            page.Line($"{Count(clean.Kept)} rows were written to the clean file, {Count(clean.Dropped)} were dropped.");
        }

        page.Line($"</p>");
    }

    private static void Triggers(HtmlWriter page, DataProfile data)
    {
        if (data.Triggers.Count == 0)
        {
            return;
        }

        page.Line($"<h3>What goes with one answer</h3><div class=\"scroll\"><table><thead><tr><th>in the prompt</th><th>answer</th><th>rows with it that give the answer</th><th>that do not</th><th>strength<small>-log10 of the chance, corrected</small></th><th>at the start</th><th>one topic<small>1 is as diverse as others</small></th><th>severity</th></tr></thead><tbody>");
        foreach (var t in data.Triggers)
        {
            page.Line($"<tr><td><b>{t.Name}</b></td><td>{t.Answer}</td><td class=\"num\">{t.With}</td><td class=\"num\">{t.Without}</td><td class=\"num\">{t.Strength:0.0}</td><td class=\"num\">{100 * t.AtStart:0} %</td><td class=\"num\">{t.Cohesion:0.0}</td><td>{t.Severity}</td></tr>");
        }

        page.Line($"</tbody></table></div>");
    }

    private static void Answers(HtmlWriter page, DataProfile data)
    {
        const int Most = 15;
        if (data.Answers.Count == 0)
        {
            return;
        }

        page.Line($"<h3>Answers that come often</h3><div class=\"scroll\"><table><thead><tr><th>kind</th><th>answer</th><th>rows</th><th>different prompts looked at</th></tr></thead><tbody>");
        foreach (var a in data.Answers.Take(Most))
        {
            page.Line($"<tr><td>{a.Kind}</td><td>{a.Text}</td><td class=\"num\">{Count(a.Rows)}</td><td class=\"num\">{a.Prompts}</td></tr>");
        }

        page.Line($"</tbody></table></div>");
        HtmlReport.More(page, data.Answers.Count - Most, "answers");
    }

    private static void Charts(HtmlWriter page, DataProfile data)
    {
        page.Line($"<h3>Shape</h3><div class=\"charts\">");
        Bars(page, "Words of the prompts", [.. data.PromptWords.Select((n, i) => (Bin(i), n))]);
        Bars(page, "Words of the answers", [.. data.ResponseWords.Select((n, i) => (Bin(i), n))]);
        Bars(page, "Scripts", [.. data.Scripts.Select(s => (s.Key, s.Value))]);
        Bars(page, "Rows by rule", [.. data.RowsByRule.Select(r => (r.Key, r.Value))]);
        page.Line($"</div>");
    }

    private static void Bars(HtmlWriter page, string title, (string Name, long Count)[] bars)
    {
        const int Height = 16;
        var shown = bars.Where(b => b.Count > 0).ToArray();
        if (shown.Length == 0)
        {
            return;
        }

        var most = shown.Max(b => b.Count);
        page.Line($"<figure><svg viewBox=\"0 0 280 {shown.Length * Height}\" role=\"img\" aria-label=\"{title}\">");
        for (var i = 0; i < shown.Length; i++)
        {
            page.Line($"<text x=\"104\" y=\"{(i * Height) + 12}\" text-anchor=\"end\" textLength=\"{Math.Min(100, 6 * shown[i].Name.Length)}\" lengthAdjust=\"spacingAndGlyphs\">{shown[i].Name}</text>");
            page.Line($"<rect class=\"front\" x=\"108\" y=\"{(i * Height) + 3}\" width=\"{Math.Max(1, 120.0 * shown[i].Count / most):0.#}\" height=\"10\"/><text x=\"{112 + (120.0 * shown[i].Count / most):0.#}\" y=\"{(i * Height) + 12}\">{Count(shown[i].Count)}</text>");
        }

        page.Line($"</svg><figcaption><strong>{title}</strong></figcaption></figure>");
    }

    private static void Worst(HtmlWriter page, DataProfile data)
    {
        if (data.Worst.Count == 0)
        {
            return;
        }

        page.Line($"<h3>Rows to read first</h3><div class=\"scroll\"><table><thead><tr><th>row</th><th>byte</th><th>severity</th><th>why</th><th>prompt → answer</th></tr></thead><tbody>");
        foreach (var row in data.Worst)
        {
            page.Line($"<tr><td class=\"num\">{Count(row.Row)}</td><td class=\"num\">{Count(row.Offset)}</td><td>{row.Severity}</td><td>{row.Why}</td><td>{row.Text}</td></tr>");
        }

        page.Line($"</tbody></table></div>");
    }

    private static string Bin(int i) => i == 0 ? "none" : i == 1 ? "1" : i == 11 ? "1024 and more" : $"{1 << (i - 1)} to {(1 << i) - 1}";

    private static string Count(long n) => n.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
