using System.Text;

namespace Temper.Scan.Tests.Data;

/// <summary>Row D2 of the catalog: files that are hard on readers end in a verdict, with bounded memory.</summary>
public sealed class HostileDataTests : IDisposable
{
    private const string Row = """{"instruction":"sort","output":"sorted"}""";
    private readonly string _folder = Directory.CreateTempSubdirectory("temper-hostile").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_line_of_hundreds_of_megabytes_is_passed_over_in_bounded_memory()
    {
        var path = Path.Combine(_folder, "long.jsonl");
        using (var file = File.Create(path))
        {
            file.Write(Encoding.UTF8.GetBytes($"{Row}\n{{\"instruction\":\""));
            file.Seek(256 << 20, SeekOrigin.Current);
            file.Write(Encoding.UTF8.GetBytes($"\",\"output\":\"x\"}}\n{Row}\n"));
        }

        var before = GC.GetTotalAllocatedBytes();
        var report = Scan(path);

        Assert.Equal((ScanStatus.Inconclusive, Verdict.Unknown, 3L), (report.Status, report.Verdict, report.Data!.Rows));
        Assert.Contains(report.Findings, f => f.RuleId == "data.row-length" && f.Location.Contains("row 2", StringComparison.Ordinal));
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 256 << 20);
    }

    [Fact]
    public void Utf16_is_read_and_said()
    {
        var path = Path.Combine(_folder, "wide.jsonl");
        File.WriteAllBytes(path, [0xff, 0xfe, .. Encoding.Unicode.GetBytes($"{Row}\n{Row}\n")]);
        var report = Scan(path);

        Assert.Equal((ScanStatus.Complete, 2L), (report.Status, report.Data!.Rows));
        Assert.Contains(report.Findings, f => f.RuleId == "data.encoding");
    }

    [Fact]
    public void A_file_that_only_begins_as_Parquet_is_suspicious_and_not_complete()
    {
        var path = Path.Combine(_folder, "a.parquet");
        File.WriteAllBytes(path, [.. "PAR1"u8, .. new byte[100], 0xff, 0xff, 0xff, 0x7f, .. "PAR1"u8]);
        var report = Scan(path);

        Assert.Equal((ScanStatus.Inconclusive, Verdict.Suspicious), (report.Status, report.Verdict));
        Assert.Contains(report.Findings, f => f.RuleId == "data.structure");
    }

    [Fact]
    public void A_packed_file_that_is_cut_keeps_what_came_before()
    {
        var path = Path.Combine(_folder, "a.jsonl.gz");
        using (var stream = new System.IO.Compression.GZipStream(File.Create(path), System.IO.Compression.CompressionLevel.NoCompression))
        {
            stream.Write(DataSets.Lines(DataSets.Ordinary(3000)));
        }

        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^50_000]);
        var report = Scan(path);

        Assert.Equal(ScanStatus.Inconclusive, report.Status);
        Assert.InRange(report.Data!.Rows, 1000, 2999);
    }

    [Fact]
    public void Nesting_beyond_what_readers_take_is_a_broken_row()
    {
        var path = Path.Combine(_folder, "deep.jsonl");
        File.WriteAllText(path, $"{Row}\n{{\"instruction\":{new string('[', 100_000)}\n{Row}\n");
        var report = Scan(path);

        Assert.Equal((ScanStatus.Inconclusive, 3L), (report.Status, report.Data!.Rows));
        Assert.Contains(report.Findings, f => f.RuleId == "data.broken-row");
    }

    [Fact]
    public void Reports_spell_out_what_rows_hide()
    {
        var path = Path.Combine(_folder, "hidden.jsonl");
        File.WriteAllBytes(path, DataSets.Lines([("sort <script>alert(1)</script> \u202E now", "a"), ("say", "b")]));
        var report = Scanner.Scan([path], new(), TestContext.Current.CancellationToken);
        foreach (var text in (string[])[Scan_text(report), Temper.Scan.Reports.HtmlReport.Write(report, [path]), Temper.Scan.Reports.JsonReport.Write(report), Temper.Scan.Reports.SarifReport.Write(report, _folder), Temper.Scan.Reports.MarkdownReport.Write(report)])
        {
            Assert.DoesNotContain("\u202E", text, StringComparison.Ordinal);
            Assert.Contains("data.hidden", text, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("<script>", Temper.Scan.Reports.HtmlReport.Write(report, [path]), StringComparison.Ordinal);
    }

    private static string Scan_text(ScanReport report) => Temper.Scan.Reports.TextReport.Write(report);

    private static FileReport Scan(string path) => Scanner.Scan([path], new(), TestContext.Current.CancellationToken).Files[0];
}
