using System.IO.Compression;
using System.Text;
using Temper.Formats.Bytes;

namespace Temper.Formats.Data;

/// <summary>A stream that unpacks to far more than it holds.</summary>
public sealed class DataBombException(string message) : Exception(message);

/// <summary>Opens a file's text as UTF-8 from the start, unpacked where it is packed, as often as wanted.</summary>
internal sealed class DataStreams
{
    private readonly ByteSource _source;
    private readonly DataLimits _limits;
    private Stream? _packed;

    public DataStreams(ByteSource source, DataLimits limits)
    {
        (_source, _limits) = (source, limits);
        Compression = source.Head(4) switch
        {
            [0x1f, 0x8b, 8, ..] => "gzip",
            [0x28, 0xb5, 0x2f, 0xfd] => "zstd",
            _ => null,
        };
        Encoding = Compression is null ? Mark(source.Head(4)) : null;
    }

    public string? Compression { get; }

    public string? Encoding { get; }

    /// <summary>How far the packed bytes have been read.</summary>
    public long Position => _packed is null ? 0 : _packed.CanRead ? _packed.Position : _source.Length;

    /// <summary>The first bytes of the text; null where they cannot be unpacked.</summary>
    public byte[]? Head(int most)
    {
        try
        {
            using var stream = Open();
            var head = new byte[most];
            return head[..stream.ReadAtLeast(head, most, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e is InvalidDataException or IOException or ZstdSharp.ZstdException or DataBombException)
        {
            return null;
        }
    }

    public Stream Open()
    {
        var source = _source.AsStream();
        _packed = source;
        Stream text = Compression switch
        {
            "gzip" => new Unpacking(new GZipStream(source, CompressionMode.Decompress), source, _limits),
            "zstd" => new Unpacking(new ZstdSharp.DecompressionStream(source), source, _limits),
            _ => source,
        };
        if (Encoding is not null)
        {
            source.Position = 2;
            return System.Text.Encoding.CreateTranscodingStream(text, Encoding == "utf-16" ? System.Text.Encoding.Unicode : System.Text.Encoding.BigEndianUnicode, System.Text.Encoding.UTF8);
        }

        if (Compression is null && _source.Head(3).SequenceEqual((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
        {
            source.Position = 3;
        }

        return text;
    }

    private static string? Mark(ReadOnlySpan<byte> head) => head switch
    {
        [0xff, 0xfe, 0, 0] => null,
        [0xff, 0xfe, ..] => "utf-16",
        [0xfe, 0xff, ..] => "utf-16be",
        _ => null,
    };

    // Counts what comes out against what went in, and makes every fault of a foreign decoder one kind of exception.
    private sealed class Unpacking(Stream inner, Stream packed, DataLimits limits) : Stream
    {
        private long _count;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => _count; set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            int read;
            try
            {
                read = inner.Read(buffer, offset, count);
            }
            catch (Exception e) when (e is not (OutOfMemoryException or IOException or InvalidDataException))
            {
                throw new InvalidDataException(e.Message, e);
            }

            _count += read;
            return _count <= limits.UnpackedBytes || _count / limits.Ratio <= packed.Position ? read
                : throw new DataBombException($"found {_count} bytes unpacked of {packed.Position}, expected at most {limits.Ratio} times as many");
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
