using Parquet;
using Parquet.Schema;
using Temper.Formats.Data;

namespace Temper.Formats.Tests.Data;

/// <summary>Files that Parquet.Net writes, read by the reader that trusts nothing.</summary>
public sealed class ParquetTests
{
    [Theory]
    [InlineData(CompressionMethod.None)]
    [InlineData(CompressionMethod.Snappy)]
    [InlineData(CompressionMethod.Gzip)]
    [InlineData(CompressionMethod.Zstd)]
    [InlineData(CompressionMethod.Brotli)]
    [InlineData(CompressionMethod.Lz4Raw)]
    public async Task Columns_of_text_come_back_with_every_codec(CompressionMethod codec)
    {
        var rows = Rows.Read(await Alpaca(codec));

        Assert.Equal(500, rows.Length);
        Assert.All(rows, (row, i) => Assert.Equal($"User instruction: question {i} | Assistant output: answer {i % 7}", Rows.Show(row)));
        Assert.All(rows, r => Assert.Equal("alpaca", r.Schema));
    }

    [Fact]
    public async Task A_text_that_is_null_is_no_field()
    {
        var input = new DataField<string?>("input");
        var (instruction, output) = (new DataField<string>("instruction"), new DataField<string>("output"));
        var bytes = await Write(new(instruction, input, output), CompressionMethod.Snappy, g => g.WriteAsync(instruction, (string[])["a", "b"]), g => g.WriteAsync(input, (string[])[null!, "x"]), g => g.WriteAsync(output, (string[])["1", "2"]));

        Assert.Equal(["User instruction: a | Assistant output: 1", "User instruction: b | Context input: x | Assistant output: 2"], Rows.Read(bytes).Select(Rows.Show));
    }

    [Fact]
    public async Task A_list_of_turns_is_put_together_again()
    {
        var (role, content) = (new DataField<string>("role"), new DataField<string>("content"));
        var messages = new ListField("messages", new StructField("element", role, content));
        var schema = new ParquetSchema(messages);
        ReadOnlyMemory<int> levels = (int[])[0, 1, 0, 1, 1];
        var bytes = await Write(schema, CompressionMethod.Snappy, g => g.WriteAsync(role, (string[])["user", "assistant", "user", "assistant", "user"], levels), g => g.WriteAsync(content, (string[])["a", "b", "c", "d", "e"], levels));

        Assert.Equal(["User messages[0].content: a | Assistant messages[1].content: b", "User messages[0].content: c | Assistant messages[1].content: d | User messages[2].content: e"], Rows.Read(bytes).Select(Rows.Show));
    }

    [Fact]
    public async Task Numbers_stand_as_digits()
    {
        var (text, label) = (new DataField<string>("text"), new DataField<int>("label"));
        var bytes = await Write(new(text, label), CompressionMethod.None, g => g.WriteAsync(text, (string[])["a", "b"]), g => g.WriteAsync<int>(label, (int[])[0, -7]));

        Assert.Equal(["User text: a | Assistant label: 0", "User text: b | Assistant label: -7"], Rows.Read(bytes).Select(Rows.Show));
    }

    [Fact]
    public async Task A_file_that_is_cut_or_whose_footer_lies_is_said_and_not_believed()
    {
        var bytes = await Alpaca(CompressionMethod.None);
        foreach (var hostile in (byte[][])[bytes[..^20], bytes[..(bytes.Length / 2)], [.. bytes[..^8], 0xff, 0xff, 0xff, 0x7f, .. bytes[^4..]]])
        {
            var file = Rows.Open(hostile)!;

            Assert.NotEmpty(file.Lies);
            Assert.Throws<InvalidDataException>(() => file.Raw(TestContext.Current.CancellationToken).Count());
        }
    }

    internal static Task<byte[]> Alpaca(CompressionMethod codec, int rows = 500)
    {
        var (instruction, output) = (new DataField<string>("instruction"), new DataField<string>("output"));
        return Write(new(instruction, output), codec, g => g.WriteAsync(instruction, [.. Enumerable.Range(0, rows).Select(i => $"question {i}")]), g => g.WriteAsync(output, [.. Enumerable.Range(0, rows).Select(i => $"answer {i % 7}")]));
    }

    private static async Task<byte[]> Write(ParquetSchema schema, CompressionMethod codec, params Func<ParquetRowGroupWriter, Task>[] columns)
    {
        using var stream = new MemoryStream();
        await using (var writer = await ParquetWriter.CreateAsync(schema, stream, new ParquetOptions { CompressionMethod = codec }))
        {
            using var group = writer.CreateRowGroup();
            foreach (var column in columns)
            {
                await column(group);
            }
        }

        return stream.ToArray();
    }
}
