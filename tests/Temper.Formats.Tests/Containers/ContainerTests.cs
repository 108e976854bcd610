using System.IO.Compression;
using Temper.Formats.Bytes;
using Temper.Formats.Containers;

namespace Temper.Formats.Tests.Containers;

public sealed class ContainerTests
{
    [Fact]
    public void The_checksum_is_that_of_zip()
    {
        Assert.Equal(0xCBF43926u, Crc32.Compute("123456789"u8));
        Assert.Equal(Crc32.Compute("123456789abcdefgh"u8), Crc32.Compute("9abcdefgh"u8, Crc32.Compute("12345678"u8)));
    }

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Optimal)]
    public void An_honest_zip_has_no_anomaly_and_gives_its_members(CompressionLevel level)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var name in (string[])["a", "folder/b"])
            {
                using var entry = archive.CreateEntry(name, level).Open();
                entry.Write(new byte[1000]);
            }
        }

        using var source = ByteSource.Of(stream.ToArray());
        var listing = ZipReader.Read(source, 100);

        Assert.Equal([], listing.Defects);
        Assert.Equal(["a", "folder/b"], listing.Members.Select(m => m.Name));
        Assert.All(listing.Members, m =>
        {
            var (content, more, error) = ZipReader.Open(source, m, 1 << 20, TestContext.Current.CancellationToken);
            Assert.Equal((1000L, false, null), (content.Length, more, error));
        });
    }

    [Fact]
    public void Unpacking_stops_at_its_limit()
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(new byte[1 << 20]);
        }

        var unpacked = Compression.Read(CompressionKind.Gzip, ByteSource.Of(stream.ToArray()), 1000, TestContext.Current.CancellationToken);

        Assert.Equal((1000, true, null), (unpacked.Data.Length, unpacked.More, unpacked.Error));
    }

    [Fact]
    public void A_linked_lz4_block_refers_to_the_one_before()
    {
        // Block 1: "abcdefgh" as it is. Block 2: no literals, a match of 12 at distance 8, then the last five as literals.
        byte[] frame = [0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0, 8, 0, 0, 0x80, .. "abcdefgh"u8, 9, 0, 0, 0, 0x08, 8, 0, 0x50, .. "vwxyz"u8, 0, 0, 0, 0];
        var unpacked = Compression.Read(CompressionKind.Lz4, ByteSource.Of(frame), 1000, TestContext.Current.CancellationToken);

        Assert.Null(unpacked.Error);
        Assert.Equal("abcdefghabcdefghabcdvwxyz"u8, unpacked.Data);
    }

    [Theory]
    [InlineData("/a", true)]
    [InlineData("..", true)]
    [InlineData("a/../../b", true)]
    [InlineData("a\\..\\b", true)]
    [InlineData("C:x", true)]
    [InlineData("a..b/c...", false)]
    [InlineData("a/b", false)]
    public void Names_that_leave_the_folder_are_known_on_every_system(string name, bool escapes) => Assert.Equal(escapes, ArchiveNames.Escapes(name));

    [Theory]
    [InlineData("'<f4'", "(3, 4)", 48L, false)]
    [InlineData("'|O'", "(3,)", null, true)]
    [InlineData("[('a', '<f4'), ('b', 'O')]", "()", null, true)]
    [InlineData("'<U5'", "(2,)", 40L, false)]
    [InlineData("'<f8'", "()", 8L, false)]
    public void Headers_of_arrays_tell_their_size(string descr, string shape, long? bytes, bool objects)
    {
        var text = $"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n";
        using var source = ByteSource.Of([0x93, .. "NUMPY"u8, 1, 0, .. BitConverter.GetBytes((ushort)text.Length), .. System.Text.Encoding.ASCII.GetBytes(text)]);
        var header = NpyReader.Read(source);

        Assert.Equal((bytes, objects, null), (header.ExpectedBytes, header.HasObjects, header.Error));
    }

    [Fact]
    public void A_range_outside_of_the_bytes_is_refused()
    {
        using var source = ByteSource.Of(new byte[10]);

        Assert.Throws<ArgumentOutOfRangeException>(() => source.Part(2, 6).Span(5, 2).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => source.Span(long.MaxValue, 1).Length);
    }

    [Fact]
    public void Large_files_are_read_in_parts_and_come_out_the_same()
    {
        var path = Path.GetTempFileName();
        try
        {
            var data = new byte[(5 << 20) + 3];
            new Random(3).NextBytes(data);
            File.WriteAllBytes(path, data);
            using var source = ByteSource.Open(path);
            using var stream = source.Part(1, source.Length - 1).AsStream();
            using var copy = new MemoryStream();
            stream.CopyTo(copy);

            Assert.Equal(data[1..], copy.ToArray());
            Assert.Equal(data[^3..], source.Tail(3));
            Assert.Equal(data[65_530..65_540], source.Span(65_530, 10));
            Assert.Equal(data.AsSpan().IndexOf(data[^5..]), source.IndexOf(data[^5..], 0, source.Length));
            Assert.Equal(262_142, source.IndexOf(data[262_142..262_150], 7, source.Length));
            Assert.Equal(-1, source.IndexOf(data[^5..], 0, source.Length - 1));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
