using Temper.Bench.Reports;
using Temper.Core;

namespace Temper.Bench.Tests.Reports;

public sealed class HtmlReportTests
{
    private const string Hostile = "</pre><script>alert(1)</script>\"' onmouseover=x <img src=//e.example/x>";

    [Fact]
    public void Nothing_a_model_or_a_file_said_becomes_markup()
    {
        var cell = new CellResult(Hostile, Hostile, Hostile, Phase.PreTuning, Hostile, Phase.PostTuning, 1, CellStatus.Done, null,
            [SampleReport.Rate(MetricNames.Harm, 0.5), Metric.NotMeasured(MetricNames.Utility, Direction.HigherIsBetter, Hostile)], 1,
            [new(1, 2), new(2, 1)], [new(1, Hostile)], [new(Hostile, Hostile, Hostile, true)]);
        var failed = cell with { Id = "f", Seed = 2, Status = CellStatus.Failed, Reason = Hostile, Metrics = [] };
        var report = SampleReport.Of(cell, failed, cell with { Id = "u", Defense = "none", DefensePhase = null }) with
        {
            Study = Hostile, Description = Hostile, Verdict = Hostile, Notes = [Hostile], SettingsYaml = Hostile,
            Interactions = [new(Hostile, Hostile, Hostile, 0.1, 0, 0.2)],
            Timing = new(1, new Dictionary<string, double> { [Hostile] = 1 }, Hostile),
        };
        var html = HtmlReport.Write(report);

        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<img", html, StringComparison.OrdinalIgnoreCase);
        // The attribute may stand inside a quoted title, but its quote must not have been closed.
        Assert.DoesNotContain("' onmouseover", html, StringComparison.Ordinal);
        Assert.Contains("&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;", html, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Characters_that_hide_or_reorder_text_are_spelled_out()
    {
        var cell = SampleReport.Cell("a", Phase.PreTuning, "none", null, 0.5, 0.8) with { Samples = [new("s", "p", "x\u202Ey\u200B\uDB40\uDC41\0z", false)] };

        Assert.Contains("x\\u{202E}y\\u{200B}\\u{E0041}\\u{0000}z", HtmlReport.Write(SampleReport.Of(cell)), StringComparison.Ordinal);
    }

    [Fact]
    public void Not_measured_is_a_dash_with_its_reason_and_never_zero()
    {
        var cell = SampleReport.Cell("a", Phase.PreTuning, "none", null, 0, 0) with
        {
            Metrics = [Metric.NotMeasured(MetricNames.Harm, Direction.LowerIsSafer, "no judge ran")],
        };
        var html = HtmlReport.Write(SampleReport.Of(cell));

        Assert.Contains("no judge ran", html, StringComparison.Ordinal);
        Assert.DoesNotContain("0.0 %", html[..html.IndexOf("id=\"plan\"", StringComparison.Ordinal)].Split("</style>")[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_cell_is_shown_with_its_reason_beside_the_seeds_that_ran()
    {
        var html = HtmlReport.Write(SampleReport.Of(
            SampleReport.Cell("a", Phase.PreTuning, "none", null, 0.5, 0.8),
            SampleReport.Failed("a", Phase.PreTuning, "none", null, "out of memory") with { Id = "broken", Seed = 2 }));

        Assert.Contains("1 of 2 seeds failed", html, StringComparison.Ordinal);
        Assert.Contains("1 of 2 cells failed", html, StringComparison.Ordinal);
        Assert.Contains("out of memory", html, StringComparison.Ordinal);
    }

    [Fact]
    public void A_diverged_loss_is_told_and_not_drawn()
    {
        var cell = SampleReport.Cell("a", Phase.PreTuning, "none", null, 0.5, 0.8) with { Curve = [new(1, 2), new(2, double.NaN)] };
        var html = HtmlReport.Write(SampleReport.Of(cell));

        Assert.Contains("Not a finite number from step 2", html, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", html, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_study_is_still_a_page() => Assert.EndsWith("</html>\n", HtmlReport.Write(SampleReport.Of()), StringComparison.Ordinal);
}
