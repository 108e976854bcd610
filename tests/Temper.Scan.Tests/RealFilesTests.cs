using Temper.Tests;

namespace Temper.Scan.Tests;

public sealed class RealFilesTests
{
    [Theory]
    [InlineData("artifacts/benign-pickles")]
    [InlineData("adapters")]
    [InlineData("weights")]
    [InlineData("reference")]
    [InlineData("tokenizers")]
    public void Real_files_have_no_finding_above_info(string folder)
    {
        var report = Scanner.Scan([TestData.Require(folder.Split('/'))], new ScanOptions(), TestContext.Current.CancellationToken);
        var why = report.Files.SelectMany(f => f.Findings).Where(f => f.Severity > Severity.Info).Select(f => $"{f.RuleId} {Path.GetFileName(f.Location)}: {f.Message}");

        Assert.NotEmpty(report.Files);
        Assert.Equal([], why);
        Assert.All(report.Files, f => Assert.Equal(ScanStatus.Complete, f.Status));
    }
}
