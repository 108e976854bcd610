using Temper.Core.Pages;

namespace Temper.Scan.Reports;

/// <summary>The report as one page for people: what is wrong, then the spectra of adapters, then every file.</summary>
public static class HtmlReport
{
    private const int MaxShown = 200;
    private const int MaxFindings = 12;
    private const int MaxFiles = 5000;

    private const string Css = """

        .badge{display:inline-block;padding:0 .55rem;border-radius:.25rem;border:1px solid currentColor;font-size:.8rem;font-weight:600;text-transform:uppercase;letter-spacing:.03em;white-space:nowrap}
        .malicious{color:var(--bad)}.suspicious{color:var(--warn)}.unknown{color:var(--accent)}.clean{color:var(--good)}
        .verdict.malicious,.verdict.suspicious,.verdict.unknown,.verdict.clean{border-color:currentColor}
        .verdict span,.verdict p{color:var(--ink);margin:.2rem 0 0;max-width:none}
        .verdict strong{font-size:1.3rem;text-transform:uppercase}
        article{margin:1rem 0;padding:.8rem 1rem;border:1px solid var(--line);border-radius:.3rem;break-inside:avoid-page}
        article h3{margin:0;overflow-wrap:anywhere}h3 small{color:var(--soft);font-weight:400;white-space:nowrap}
        article dl{margin:.5rem 0 0}dt{margin-top:.6rem;overflow-wrap:anywhere}dd{margin:0;overflow-wrap:anywhere}
        .charts{grid-template-columns:repeat(auto-fill,minmax(17rem,1fr))}figure{display:flex;flex-direction:column;justify-content:space-between;gap:.3rem}
        .legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;padding:0;list-style:none;font-size:.85rem}
        .legend i{display:inline-block;width:.8rem;height:.8rem;border-radius:.4rem;margin-right:.35rem;vertical-align:-.1rem;print-color-adjust:exact;-webkit-print-color-adjust:exact}
        .s0{--s:#0b5cad}.s1{--s:#b3480b}.s2{--s:#1a7f4b}.s3{--s:#8a2f86}.s4{--s:#8a6d00}.s5{--s:#0f7c86}.s6{--s:#b0265c}.s7{--s:#5a5f66}
        svg .line{fill:none;stroke:var(--s);stroke-width:1;opacity:.6}svg circle{fill:var(--s)}.legend i{background:var(--s)}
        :root{--warn:#8a5a00;--good:#1a7f4b}
        @media (prefers-color-scheme:dark){:root{--warn:#e8b34b;--good:#5fc98f}.s0{--s:#7db8f5}.s1{--s:#f0955f}.s2{--s:#5fc98f}.s3{--s:#d79ad4}.s4{--s:#dcc04a}.s5{--s:#5cc8d2}.s6{--s:#f58bb0}.s7{--s:#aab1ba}}
        @media print{:root{--warn:#8a5a00;--good:#1a7f4b}.s0{--s:#0b5cad}.s1{--s:#b3480b}.s2{--s:#1a7f4b}.s3{--s:#8a2f86}.s4{--s:#8a6d00}.s5{--s:#0f7c86}.s6{--s:#b0265c}.s7{--s:#5a5f66}}
        """;

    /// <summary>The page on what was found under <paramref name="roots"/>.</summary>
    public static string Write(ScanReport report, IReadOnlyList<string> roots)
    {
        var page = new HtmlWriter();
        page.Head($"{Word(report.Verdict)}: {string.Join(", ", roots)} · Temper scan", Css);
        page.Line($"<header><h1>Artifact scan</h1><p class=\"soft\">{string.Join(", ", roots)}</p>");
        page.Line($"<div class=\"verdict {Word(report.Verdict)}\"><strong>{Word(report.Verdict)}</strong> <span>{Summary(report)}</span><p>{TextReport.Advice(report)}</p></div></header><main>");
        Findings(page, report);
        HtmlData.Write(page, report.Files);
        HtmlSpectra.Write(page, report.Adapters);
        Files(page, report);
        page.Line($"</main></body></html>");
        return page.ToString();
    }

    private static string Summary(ScanReport report) =>
        $"{TextReport.Counts(report)}.{(report.Status == ScanStatus.Complete ? "" : " Not everything could be read to its end.")}";

    private static void Findings(HtmlWriter page, ScanReport report)
    {
        var shown = report.Files.Where(f => f.Verdict != Verdict.Clean).OrderByDescending(f => f.Verdict).ThenBy(f => f.Path, StringComparer.Ordinal).ToArray();
        if (shown.Length == 0)
        {
            return;
        }

        page.Line($"<section id=\"findings\"><h2>What was found</h2>");
        foreach (var file in shown.Take(MaxShown))
        {
            File(page, file, shown);
        }

        More(page, shown.Length - MaxShown, "files");
        page.Line($"</section>");
    }

    private static void File(HtmlWriter page, FileReport file, FileReport[] shown)
    {
        var findings = file.Findings.OrderByDescending(f => f.Severity).ToArray();
        page.Line($"<article><h3><span class=\"badge {Word(file.Verdict)}\">{Word(file.Verdict)}</span> {file.Path} <small>{file.Format}, {Word(file.Status)}</small></h3><dl>");
        if (TextReport.IsForMembers(file, shown))
        {
            page.Line($"<dt>Because of what it holds, below.</dt>");
        }

        foreach (var finding in findings.Take(MaxFindings))
        {
            page.Line($"<dt><b>{Word(finding.Severity)}</b> {finding.Message}</dt><dd class=\"soft\">{finding.RuleId} at {TextReport.Place(file, finding)}</dd>");
            if (TextReport.IsNews(finding))
            {
                page.Line($"<dd><pre>{finding.Evidence}</pre></dd>");
            }
        }

        foreach (var advice in findings.Where(f => f.Severity > Severity.Info).Select(f => f.WhatToDo).Distinct(StringComparer.Ordinal).Take(MaxFindings))
        {
            page.Line($"<dt><b>What to do</b> {advice}</dt>");
        }

        page.Line($"</dl>");
        More(page, findings.Length - MaxFindings, "findings");
        page.Line($"</article>");
    }

    private static void Files(HtmlWriter page, ScanReport report)
    {
        page.Line($"<section id=\"files\"><h2>All files</h2><details><summary>{TextReport.Counts(report)}</summary><div class=\"scroll\"><table>");
        page.Line($"<thead><tr><th>file</th><th>format</th><th>status</th><th>verdict</th><th>findings</th></tr></thead><tbody>");
        foreach (var file in report.Files.Take(MaxFiles))
        {
            page.Line($"<tr><td>{file.Path}</td><td>{file.Format}</td><td>{Word(file.Status)}</td><td class=\"{Word(file.Verdict)}\">{Word(file.Verdict)}</td><td class=\"num\">{file.Findings.Count}</td></tr>");
        }

        page.Line($"</tbody></table></div></details>");
        More(page, report.Files.Count - MaxFiles, "files");
        page.Line($"</section>");
    }

    internal static void More(HtmlWriter page, int count, string what)
    {
        if (count > 0)
        {
            page.Line($"<p class=\"soft\">and {count} more {what}; --format json has all</p>");
        }
    }

    private static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
