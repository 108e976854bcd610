using Temper.Formats.Bytes;
using Temper.Formats.Gguf;
using Temper.Tests;

namespace Temper.Formats.Tests.Gguf;

public sealed class GgufReaderTests
{
    [Fact]
    public void Real_files_have_no_defect_and_real_damage_is_found_at_its_byte()
    {
        foreach (var path in Directory.GetFiles(TestData.Require("artifacts", "gguf-valid")))
        {
            using var bytes = ByteSource.Open(path);
            var file = GgufReader.Read(bytes, TestContext.Current.CancellationToken);
            Assert.Equal([], file.Defects);
            Assert.True(file["tokenizer.ggml.tokens"]!.Count > 1000, path);
        }

        foreach (var path in Directory.GetFiles(TestData.Require("artifacts", "gguf-corrupted")))
        {
            using var bytes = ByteSource.Open(path);
            Assert.InRange(GgufReader.Read(bytes, TestContext.Current.CancellationToken).Defects[0].Offset, 1, bytes.Length);
        }
    }

    [Fact]
    public void A_header_that_ends_early_is_no_exception()
    {
        byte[] whole = [.. "GGUF"u8, 3, 0, 0, 0, .. BitConverter.GetBytes(1L), .. BitConverter.GetBytes(1L), .. BitConverter.GetBytes(1L), (byte)'a', 8, 0, 0, 0, .. BitConverter.GetBytes(1L), (byte)'b'];
        for (var length = 4; length <= whole.Length; length++)
        {
            Assert.NotEmpty(GgufReader.Read(ByteSource.Of(whole[..length]), TestContext.Current.CancellationToken).Defects);
        }
    }
}
