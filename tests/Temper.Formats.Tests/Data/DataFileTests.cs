using System.IO.Compression;
using System.Text;
using CsCheck;
using Temper.Formats.Data;

namespace Temper.Formats.Tests.Data;

public sealed class DataFileTests
{
    private const string A = """{"instruction":"a","output":"1"}""";
    private const string B = """{"instruction":"b [\",{","output":"2 ]}\\"}""";

    [Theory]
    [InlineData(DataLayout.JsonLines, A + "\n" + B + "\n")]
    [InlineData(DataLayout.JsonLines, A + "\r\n\r\n" + B)]
    [InlineData(DataLayout.JsonArray, "[" + A + "," + B + "]")]
    [InlineData(DataLayout.JsonArray, " [\n  " + A + "\n ,\n" + B + "\n]\n")]
    public void Rows_are_cut_where_they_end_whatever_stands_in_their_text(DataLayout layout, string text)
    {
        var file = Rows.Open(Encoding.UTF8.GetBytes(text))!;
        var raw = file.Raw(TestContext.Current.CancellationToken).ToArray();

        Assert.Equal(layout, file.Layout);
        Assert.Equal([A, B], raw.Select(r => Encoding.UTF8.GetString(r.Bytes)));
        Assert.Equal([1, 2], raw.Select(r => r.Number));
        Assert.All(raw, r => Assert.Equal(r.Bytes, Encoding.UTF8.GetBytes(text)[(int)r.Offset..((int)r.Offset + r.Bytes.Length)]));
    }

    [Fact]
    public void Any_rows_come_back_as_they_were_written() =>
        Gen.Select(Gen.String, Gen.String).List[1, 20].Sample(rows =>
        {
            var lines = rows.Select(r => $$"""{"prompt":{{System.Text.Json.JsonSerializer.Serialize(r.Item1)}},"completion":{{System.Text.Json.JsonSerializer.Serialize(r.Item2)}}}""").ToArray();
            foreach (var text in (string[])[string.Join('\n', lines) + "\n", $"[{string.Join(",\n", lines)}]"])
            {
                Assert.Equal(lines, Rows.Open(Encoding.UTF8.GetBytes(text))!.Raw(TestContext.Current.CancellationToken).Select(r => Encoding.UTF8.GetString(r.Bytes)));
            }
        }, iter: 200, seed: "0000KOIKNMF2");

    [Fact]
    public void A_table_keeps_separators_quotes_and_lines_that_stand_in_quotes()
    {
        var rows = Rows.Read("prompt,completion\r\n\"a, \"\"b\"\"\nc\",d\r\ne,f");

        Assert.Equal(["User prompt: a, \"b\"\nc | Assistant completion: d", "User prompt: e | Assistant completion: f"], rows.Select(Rows.Show));
        Assert.Equal([1, 2], rows.Select(r => r.Number));
    }

    [Fact]
    public void A_record_of_another_width_is_said()
    {
        var rows = Rows.Read("prompt\tcompletion\na\tb\nc\nd\te\tf\n");

        Assert.Equal([[], [DataFlaw.Columns], [DataFlaw.Columns]], rows.Select(r => r.Flaws.Select(f => f.Flaw).ToArray()));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("zstd")]
    [InlineData("utf-16")]
    [InlineData("utf-16be")]
    [InlineData("utf-8 mark")]
    public void Packed_and_other_encodings_read_the_same(string how)
    {
        var text = A + "\n" + B + "\n";
        var bytes = Encoding.UTF8.GetBytes(text);
        byte[] packed = how switch
        {
            "gzip" => Pack(bytes, s => new GZipStream(s, CompressionLevel.Fastest)),
            "zstd" => Pack(bytes, s => new ZstdSharp.CompressionStream(s)),
            "utf-16" => [0xff, 0xfe, .. Encoding.Unicode.GetBytes(text)],
            "utf-16be" => [0xfe, 0xff, .. Encoding.BigEndianUnicode.GetBytes(text)],
            _ => [0xef, 0xbb, 0xbf, .. bytes],
        };

        Assert.Equal(["a", "b [\",{"], Rows.Read(packed).Select(r => r.Prompt));
    }

    [Theory]
    [InlineData("""{"prompt":"a","prompt":"b","completion":"c"}""", DataFlaw.DuplicateKey, "prompt")]
    [InlineData("""{"prompt":"a","completion":"c","x":{"y":1,"y":2}}""", DataFlaw.DuplicateKey, "x.y")]
    [InlineData("""{"prompt":"a","completion":"c","x":NaN}""", DataFlaw.NotANumber, "x")]
    [InlineData("""{"prompt":"a\ud800","completion":"c"}""", DataFlaw.LoneSurrogate, "prompt")]
    [InlineData("""{"prompt":"a\u0000","completion":"c"}""", DataFlaw.Nul, "prompt")]
    [InlineData("""{"prompt":"a","completion":"c" """, DataFlaw.Broken, "")]
    public void What_readers_differ_on_is_a_flaw_with_its_field(string row, DataFlaw flaw, string field)
    {
        var read = Rows.Read($"{A}\n{row}\n{B}\n");

        Assert.Equal(3, read.Length);
        Assert.Equal((flaw, field), (read[1].Flaws[0].Flaw, read[1].Flaws[0].Field));
        Assert.Empty(read[0].Flaws.Concat(read[2].Flaws));
    }

    [Fact]
    public void Bytes_that_are_no_text_are_a_flaw()
    {
        byte[] row = [.. Encoding.UTF8.GetBytes("{\"prompt\":\"a"), 0xc3, 0x28, .. Encoding.UTF8.GetBytes("\",\"completion\":\"b\"}\n")];

        Assert.Equal(DataFlaw.BadUtf8, Assert.Single(Rows.Read([.. Encoding.UTF8.GetBytes(A + "\n"), .. row])[1].Flaws).Flaw);
    }

    [Theory]
    [InlineData("{0}\n{{\"prompt\":\"{1}\"}}\n{2}\n")]
    [InlineData("[{0},{{\"prompt\":\"{1}\\\\\"}},{2}]")]
    [InlineData("[{0},{{\"prompt\":\"{1}\\\"}},[,\"}},{2}]")]
    public void A_row_over_the_limit_is_passed_over_and_the_rest_is_read(string layout)
    {
        var text = string.Format(System.Globalization.CultureInfo.InvariantCulture, layout, A, new string('x', 300_000), B);
        var rows = Rows.Read(text, new() { RowBytes = 100_000 });

        Assert.Equal(["a", "", "b [\",{"], rows.Select(r => r.Prompt));
        Assert.Equal(DataFlaw.TooLong, Assert.Single(rows[1].Flaws).Flaw);
    }

    [Fact]
    public void An_array_that_is_cut_says_so_at_its_end() =>
        Assert.Equal([[], [DataFlaw.Broken]], Rows.Read($"[{A},{B[..20]}").Select(r => r.Flaws.Select(f => f.Flaw).ToArray()));

    [Fact]
    public void A_stream_that_unpacks_to_far_more_than_it_holds_is_stopped()
    {
        var bomb = Pack(Encoding.UTF8.GetBytes($"{A}\n{new string(' ', 30_000_000)}\n"), s => new GZipStream(s, CompressionLevel.SmallestSize));
        var file = Rows.Open(bomb, new() { UnpackedBytes = 1 << 20 })!;

        Assert.Throws<DataBombException>(() => file.Raw(TestContext.Current.CancellationToken).Count());
    }

    [Theory]
    [InlineData("{\"model_type\":\"llama\",\"hidden_size\":64}")]
    [InlineData("{\n  \"architectures\": [\"X\"]\n}\n")]
    [InlineData("[1,2,3]")]
    [InlineData("[{\"idx\":0,\"name\":\"0\"}]")]
    [InlineData("a line\nanother")]
    [InlineData("a,b\n1,2\n")]
    [InlineData("")]
    public void What_is_no_data_set_is_not_taken_for_one(string text) => Assert.Null(Rows.Open(Encoding.UTF8.GetBytes(text)));

    private static byte[] Pack(byte[] bytes, Func<Stream, Stream> open)
    {
        using var result = new MemoryStream();
        using (var stream = open(result))
        {
            stream.Write(bytes);
        }

        return result.ToArray();
    }
}
