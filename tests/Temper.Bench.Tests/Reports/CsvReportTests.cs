using Temper.Bench.Reports;
using Temper.Core;

namespace Temper.Bench.Tests.Reports;

public sealed class CsvReportTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("say \"x\"", "\"say \"\"x\"\"\"")]
    [InlineData("two\r\nlines", "\"two\nlines\"")]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData(" =1", "' =1")]
    [InlineData("\t=1", "\"'\t=1\"")]
    [InlineData("\u202E=1", "\\u{202E}=1")]
    public void Fields_are_quoted_and_cannot_become_formulas(string text, string expected) => Assert.StartsWith(
        CsvReport.Header + "\n" + expected + ",llama-s,",
        CsvReport.Write(SampleReport.Of(SampleReport.Cell("a", Phase.PreTuning, "none", null, 0.5, 0.8) with { Id = text })), StringComparison.Ordinal);

    [Fact]
    public void Not_measured_is_empty_with_its_reason_and_a_failed_cell_keeps_its_row()
    {
        var lines = CsvReport.Write(SampleReport.Of(
            SampleReport.Cell("a", Phase.PreTuning, "none", null, 0.25, 0.8), SampleReport.Failed("b", Phase.PostTuning, "d", Phase.DuringTuning, "out, of memory"))).Split('\n');

        Assert.Equal(CsvReport.Header, lines[0]);
        Assert.Contains("a+none+1,llama-s,a,PreTuning,none,,1,done,asr,,,,,LowerIsSafer,the attack plants no trigger", lines);
        Assert.Contains("b+d+1,llama-s,b,PostTuning,d,DuringTuning,1,failed,,,,,,,\"out, of memory\"", lines);
    }
}
