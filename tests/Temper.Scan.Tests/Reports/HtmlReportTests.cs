using Temper.Scan.Reports;
using Temper.Scan.Tests.Adapters;
using Temper.Scan.Tests.Corpus;

namespace Temper.Scan.Tests.Reports;

public sealed class HtmlReportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("temper-page").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_files_wrote_cannot_become_markup()
    {
        File.WriteAllText(Path.Combine(_folder, "config.json"), """{"model_type":"x","auto_map":{"AutoModel":"a/<script>alert(1)</script>--m.X"}}""");
        File.WriteAllBytes(Path.Combine(_folder, "<img src=x onerror=alert(2)>.pkl"), Build.Evil);
        var page = Page(new Random(1), "</title><script>alert(3)</script>");

        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", page, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert(1)", page, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_asks_for_nothing_from_outside()
    {
        var page = Page(new Random(1), "a/b");

        Assert.DoesNotContain("http:", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https:", page, StringComparison.Ordinal);
        Assert.DoesNotContain("url(", page, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_module_stands_in_every_chart_and_without_a_cohort_there_is_no_score()
    {
        var page = Page(new Random(1), "a/b");

        Assert.Equal(6, Count(page, "<svg "));
        Assert.Equal(6 * 24, Count(page, "<circle "));
        Assert.Contains("No cohort was given, so there is no score.", page, StringComparison.Ordinal);
    }

    private string Page(Random random, string @base)
    {
        var report = Scanner.Scan([_folder], new ScanOptions(), TestContext.Current.CancellationToken);
        return HtmlReport.Write(report with { Adapters = [AdapterCohortTests.Adapter(random) with { Base = @base }] }, [_folder]);
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
