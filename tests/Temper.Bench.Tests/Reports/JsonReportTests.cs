using Temper.Bench.Reports;
using Temper.Core;

namespace Temper.Bench.Tests.Reports;

public sealed class JsonReportTests
{
    [Fact]
    public void What_is_written_reads_back_the_same()
    {
        var cell = SampleReport.Cell("harmful-rows", Phase.PreTuning, "none", null, 0.9, 0.8) with
        {
            Curve = [new(1, 2.5), new(2, double.NaN)], Samples = [new("forbidden", "p", "<b>\u2028", true)],
        };
        var json = JsonReport.Write(SampleReport.Of(cell));

        Assert.Equal(json, JsonReport.Write(JsonReport.Read(json)));
        Assert.Contains("\"PreTuning\"", json, StringComparison.Ordinal);
        Assert.Contains("\"value\": null", json, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[")]
    public void A_broken_report_says_so(string json) => Assert.Throws<TemperException>(() => JsonReport.Read(json));

    [Fact]
    public void A_later_schema_is_refused()
    {
        var json = JsonReport.Write(SampleReport.Of() with { SchemaVersion = 2 });
        Assert.Contains("schema version 2, expected 1", Assert.Throws<TemperException>(() => JsonReport.Read(json)).Message, StringComparison.Ordinal);
    }
}
