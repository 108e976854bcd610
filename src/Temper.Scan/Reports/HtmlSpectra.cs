using Temper.Core.Pages;
using Temper.Scan.Adapters;

namespace Temper.Scan.Reports;

/// <summary>Each adapter's update as pictures: one chart per feature, layers from left to right, one color per kind of module.</summary>
internal static class HtmlSpectra
{
    private const double Width = 300, Height = 150, Left = 44, Right = 8, Top = 8, Bottom = 22;
    private const int Colors = 7;
    private const int MaxAdapters = 50;
    private const int MaxModules = 2000;

    private static readonly (string Title, string Meaning, Func<ModuleSpectrum, double> Value, double? Top)[] Charts =
    [
        ("Leading singular value", "how far the update moves its strongest direction", m => m.Spectrum.Leading, null),
        ("Frobenius norm", "the size of the whole update", m => m.Spectrum.Frobenius, null),
        ("Norm for its size", "the same per root of rows × columns; its spread is the dispersion", m => m.Norm, null),
        ("Energy share", "of the strongest direction; 1 is a rank-one update", m => m.Spectrum.EnergyShare, 1),
        ("Entropy", "of the energy over directions; 1 is evenly spread", m => m.Spectrum.Entropy, 1),
        ("Kurtosis", "of the singular values; high where one stands alone", m => m.Spectrum.Kurtosis, null),
    ];

    public static void Write(HtmlWriter page, IReadOnlyList<AdapterSpectrum> adapters)
    {
        if (adapters.Count == 0)
        {
            return;
        }

        page.Line($"<section id=\"adapters\"><h2>Spectra of the adapters</h2><p class=\"soft\">Singular values of each module's update, scaled as it is applied. A picture is no verdict: compare it with adapters that you know, or give them with --cohort.</p>");
        foreach (var adapter in adapters.Take(MaxAdapters))
        {
            Adapter(page, adapter);
        }

        HtmlReport.More(page, adapters.Count - MaxAdapters, "adapters");
        page.Line($"</section>");
    }

    private static void Adapter(HtmlWriter page, AdapterSpectrum adapter)
    {
        var kinds = adapter.Modules.Select(m => m.Kind).Distinct(StringComparer.Ordinal).ToArray();
        var shown = adapter.Modules.Take(MaxModules).ToArray();
        page.Line($"<article><h3>{adapter.Path}</h3><p>{(adapter.Base.Length == 0 ? "No base named" : $"Base {adapter.Base}")}; {adapter.Modules.Count} updates measured, {adapter.NotMeasured} not; dispersion of the norms over modules {adapter.Dispersion:0.###}.</p>");
        Cohort(page, adapter.Cohort);
        page.Line($"<ul class=\"legend\">");
        foreach (var (i, kind) in kinds.Take(Colors).Index())
        {
            page.Line($"<li class=\"s{i}\"><i></i>{kind}</li>");
        }

        page.Line($"</ul>");
        HtmlReport.More(page, kinds.Length - Colors, "kinds of modules, in gray");
        page.Line($"<div class=\"charts\">");
        foreach (var (title, meaning, value, top) in Charts)
        {
            page.Line($"<figure><figcaption><strong>{title}</strong>{meaning}</figcaption>");
            Chart(page, title, shown, kinds, value, top);
            page.Line($"</figure>");
        }

        page.Line($"</div>");
        Table(page, shown);
        HtmlReport.More(page, adapter.Modules.Count - MaxModules, "modules");
        page.Line($"</article>");
    }

    private static void Cohort(HtmlWriter page, CohortScore? score)
    {
        if (score is null)
        {
            page.Line($"<p class=\"soft\">No cohort was given, so there is no score.</p>");
            return;
        }

        page.Line($"<p><strong>{score.ToString()}</strong></p>");
        if (score.Deviations.Count > 0)
        {
            page.Line($"<p class=\"soft\">z-scores: {string.Join(", ", score.Deviations.Select(d => $"{d.Feature} {PageText.Number(d.Z, "0.0")}"))}.</p>");
        }
    }

    private static void Chart(HtmlWriter page, string title, ModuleSpectrum[] modules, string[] kinds, Func<ModuleSpectrum, double> value, double? top)
    {
        double first = modules.Min(m => m.Layer), last = modules.Max(m => m.Layer), high = top ?? Math.Max(modules.Max(value), 1e-12);
        double X(ModuleSpectrum m) => Left + (last > first ? (m.Layer - first) / (last - first) : 0.5) * (Width - Left - Right);
        double Y(ModuleSpectrum m) => Height - Bottom - Math.Clamp(value(m) / high, 0, 1) * (Height - Top - Bottom);
        page.Line($"<svg viewBox=\"0 0 {Width:0} {Height:0}\" role=\"img\" aria-label=\"{title} of {modules.Length} modules, {modules.Min(value):0.###} to {modules.Max(value):0.###}\">");
        foreach (var (y, label) in ((double, double)[])[(Top, high), ((Top + Height - Bottom) / 2, high / 2), (Height - Bottom, 0)])
        {
            page.Line($"<line class=\"rule\" x1=\"{Left:0}\" y1=\"{y:0.#}\" x2=\"{Width - Right:0}\" y2=\"{y:0.#}\"/><text class=\"tick\" x=\"{Left - 5:0}\" y=\"{y + 4:0.#}\" text-anchor=\"end\">{Short(label)}</text>");
        }

        page.Line($"<text class=\"tick\" x=\"{Left:0}\" y=\"{Height - 6:0}\">layer {(int)first}</text><text class=\"tick\" x=\"{Width - Right:0}\" y=\"{Height - 6:0}\" text-anchor=\"end\">{(int)last}</text>");
        foreach (var (i, kind) in kinds.Index())
        {
            var line = modules.Where(m => m.Kind == kind).ToArray();
            page.Line($"<g class=\"s{Math.Min(i, Colors)}\"><polyline class=\"line\" points=\"{string.Join(' ', line.Select(m => $"{PageText.Number(X(m), "0.#")},{PageText.Number(Y(m), "0.#")}"))}\"/>");
            foreach (var m in line)
            {
                page.Line($"<circle cx=\"{X(m):0.#}\" cy=\"{Y(m):0.#}\" r=\"2.5\"><title>{m.Module}: {value(m):0.####}</title></circle>");
            }

            page.Line($"</g>");
        }

        page.Line($"</svg>");
    }

    private static void Table(HtmlWriter page, ModuleSpectrum[] modules)
    {
        page.Line($"<details><summary>Numbers</summary><div class=\"scroll\"><table><thead><tr><th>module</th><th>update</th><th>rank</th>");
        foreach (var chart in Charts)
        {
            page.Line($"<th>{chart.Title}</th>");
        }

        page.Line($"</tr></thead><tbody>");
        foreach (var m in modules)
        {
            page.Line($"<tr><td>{m.Module}</td><td class=\"num\">{$"{m.Rows} × {m.Columns}"}</td><td class=\"num\">{m.Rank}</td>");
            foreach (var chart in Charts)
            {
                page.Line($"<td class=\"num\">{chart.Value(m):0.####}</td>");
            }

            page.Line($"</tr>");
        }

        page.Line($"</tbody></table></div></details>");
    }

    private static string Short(double value) => PageText.Number(value, value is >= 100 or 0 ? "0" : value >= 1 ? "0.#" : value >= 0.01 ? "0.###" : "0.#E+0");
}
