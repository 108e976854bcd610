using Temper.Bench.Reports;
using Temper.Core;

namespace Temper.Bench.Tests.Reports;

public sealed class ReportFilesTests
{
    private static readonly StudyReport s_report = SampleReport.Of(
        SampleReport.Cell("rows", Phase.PreTuning, "none", null, 0.9, 0.8), SampleReport.Cell("rows", Phase.PreTuning, "good", Phase.DuringTuning, 0.2, 0.8),
        SampleReport.Cell("rows", Phase.PreTuning, "good", Phase.DuringTuning, 0.3, 0.8, seed: 2), SampleReport.Failed("late", Phase.PostTuning, "good", Phase.DuringTuning, "x"));

    [Fact]
    public void Neither_timing_nor_the_order_of_finishing_changes_a_byte()
    {
        var again = s_report with
        {
            Cells = [.. s_report.Cells.Reverse().Select(c => c with { Seconds = c.Seconds * 3 })],
            Timing = new(999, new Dictionary<string, double> { ["tune"] = 1 }, "another machine"),
        };

        Assert.Equal(CsvReport.Write(s_report), CsvReport.Write(again));
        Assert.Equal(JsonReport.Write(s_report.WithoutTiming()), JsonReport.Write(again.WithoutTiming()));
        Assert.Equal(HtmlReport.Write(s_report).Split("<section id=\"timing\">")[0], HtmlReport.Write(again).Split("<section id=\"timing\">")[0]);
        Assert.Equal(MarkdownReport.Write(s_report).Split("## Timing")[0], MarkdownReport.Write(again).Split("## Timing")[0]);
    }

    [Fact]
    public void Writes_its_files_over_old_ones_and_leaves_nothing_aside()
    {
        var folder = Directory.CreateTempSubdirectory("temper-report").FullName;
        try
        {
            ReportFiles.Write(SampleReport.Of(), folder);
            var paths = ReportFiles.Write(s_report, folder);

            Assert.Equal(paths.Order(StringComparer.Ordinal), Directory.GetFiles(folder).Order(StringComparer.Ordinal));
            Assert.Equal(JsonReport.Write(s_report), File.ReadAllText(Path.Combine(folder, "report.json")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Markdown_takes_no_markup_from_names()
    {
        var markdown = MarkdownReport.Write(SampleReport.Of(
            SampleReport.Cell("a|b\n<img src=x>[l](https://e.example)", Phase.PreTuning, "none", null, 0.9, 0.8)));

        Assert.Contains("| a\\|b \\<img src=x\\>\\[l\\](https:\\//e.example) | Pre-tuning | 90.0 % \\[85.0, 95.0\\], n = 200; utility 80.0 % |", markdown, StringComparison.Ordinal);
    }

    [Fact]
    public void Markdown_separates_as_many_columns_as_it_names() =>
        Assert.Contains("| attack | phase | none | good |\n|---|---|---|---|\n", MarkdownReport.Write(s_report), StringComparison.Ordinal);
}
