using System.Text;
using Temper.Formats.Json;

namespace Temper.Formats.Tests.Json;

public sealed class JsonTreeTests
{
    [Fact]
    public void What_Python_reads_is_read()
    {
        var tree = Read("\ufeff{\"a\":[NaN,-Infinity,1e5,\"\\ud83d\\u00e9\\n\"],\"b\":1,\"b\":2}");

        Assert.Equal(2, tree["b"]!.Integer);
        Assert.Equal(["b"], tree.Duplicates());
        Assert.Equal(["NaN", "-Infinity", "1e5", "\ud83d\u00e9\n"], tree["a"]!.Items.Select(i => i.Text));
        Assert.Equal(100_000, tree["a"]!.Items.ElementAt(2).Number);
    }

    [Theory]
    [InlineData("{\"a\":1,}", 7)]
    [InlineData("[1 2]", 3)]
    [InlineData("{\"a\" 1}", 5)]
    [InlineData("\"open", 1)]
    [InlineData("{} x", 3)]
    [InlineData("", 0)]
    [InlineData("nul", 0)]
    public void What_is_no_JSON_is_refused_at_its_byte(string text, long offset) => Assert.Equal(offset, Assert.Throws<JsonTreeException>(() => Read(text)).Offset);

    [Fact]
    public void Depth_is_bounded() => Assert.Throws<JsonTreeException>(() => Read(new string('[', 100_000)));

    private static JsonTree Read(string text) => JsonTreeReader.Read(Encoding.UTF8.GetBytes(text));
}
