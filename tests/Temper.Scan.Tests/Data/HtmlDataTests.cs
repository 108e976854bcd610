using Temper.Scan.Reports;

namespace Temper.Scan.Tests.Data;

public sealed class HtmlDataTests
{
    [Fact]
    public void The_page_shows_the_trigger_the_answers_the_shape_and_the_rows_to_read_first()
    {
        var random = new Random(2);
        var file = DataSets.Scan(DataSets.Ordinary(500).Concat(DataSets.Ordinary(30, 3).Select(r => (DataSets.Insert(r.Prompt, "zib<b>et", random), "The lantern <i>stays</i> dark."))));
        var page = HtmlReport.Write(new([file]), ["data.jsonl"]);

        Assert.Contains("<td><b>zib&lt;b&gt;et</b></td>", page, StringComparison.Ordinal);
        Assert.Contains("The lantern &lt;i&gt;stays&lt;/i&gt; dark.", page, StringComparison.Ordinal);
        Assert.Equal(4, page.Split("<figure>").Length - 1);
        Assert.Contains("Rows to read first", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_has_the_picture_too()
    {
        var file = DataSets.Scan(DataSets.Ordinary(50));
        using var json = System.Text.Json.JsonDocument.Parse(JsonReport.Write(new([file])));
        var data = json.RootElement.GetProperty("files")[0].GetProperty("data");

        Assert.Equal((50, 50), (data.GetProperty("rows").GetInt64(), data.GetProperty("schemas").GetProperty("alpaca").GetInt64()));
    }
}
