using Temper.Formats.Bytes;

namespace Temper.Formats.Tests.Bytes;

public sealed class ByteSourceTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void A_file_that_is_cut_while_it_is_read_throws_and_does_not_end_the_program()
    {
        File.WriteAllBytes(_path, new byte[8 << 20]);
        using var source = ByteSource.Open(_path);
        Cut(1 << 20);

        Assert.Equal(0, source.Span(1000, 10)[0]);
        Assert.True(source.HasChanged);
        Assert.Throws<FileChangedException>(() => source.Span(4 << 20, 10).Length);
        Assert.Throws<FileChangedException>(() => source.Read(0, new byte[2 << 20]));
        Assert.Throws<FileChangedException>(() => source.AsStream().CopyTo(Stream.Null));
        Assert.Throws<FileChangedException>(() => source.IndexOf("x"u8, 0, source.Length));
    }

    [Fact]
    public void A_file_that_is_rewritten_with_the_same_length_has_changed()
    {
        File.WriteAllBytes(_path, new byte[8 << 20]);
        using var source = ByteSource.Open(_path);
        Assert.False(source.HasChanged);

        File.SetLastWriteTimeUtc(_path, DateTime.UnixEpoch);

        Assert.True(source.HasChanged);
    }

    [Fact]
    public void Spans_stay_good_when_other_parts_are_read()
    {
        var data = new byte[8 << 20];
        new Random(5).NextBytes(data);
        File.WriteAllBytes(_path, data);
        using var source = ByteSource.Open(_path);
        var span = source.Span(100, 50);
        for (var at = 0; at < data.Length; at += 1 << 16)
        {
            _ = source.Span(at, 1);
        }

        Assert.Equal(data[100..150], span);
    }

    private void Cut(long length)
    {
        // Another process would not ask for the lock that .NET's own streams take.
        using var file = new FileStream(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(length);
    }
}
