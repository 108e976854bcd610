using System.IO.Compression;
using SharpCompress.Compressors.BZip2;
using SharpCompress.Compressors.LZMA;
using SharpCompress.Compressors.Xz;
using Temper.Formats.Bytes;

namespace Temper.Formats.Containers;

/// <summary>A compressed stream around one file.</summary>
public enum CompressionKind { Gzip, Zlib, Bzip2, Xz, Lzma, Lz4, Zstd }

/// <summary>What came out: <paramref name="More"/> where a limit cut it, <paramref name="Error"/> where the stream broke; what came before is kept.</summary>
public sealed record Unpacked(byte[] Data, bool More, string? Error);

/// <summary>Compressed streams by content, opened within a limit.</summary>
public static class Compression
{
    private const int Chunk = 1 << 16;
    private const long LargestDictionary = 128L << 20;

    /// <summary>The kind that the first bytes announce.</summary>
    public static CompressionKind? Recognize(ReadOnlySpan<byte> head) => head switch
    {
        [0x1f, 0x8b, 8, ..] => CompressionKind.Gzip,
        [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', 0x31 or 0x17, ..] => CompressionKind.Bzip2,
        [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => CompressionKind.Xz,
        [0x5d, 0, 0, _, _, _, _, _, _, _, _, _, _, 0, ..] => CompressionKind.Lzma,
        [0x04, 0x22, 0x4d, 0x18, ..] => CompressionKind.Lz4,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => CompressionKind.Zstd,
        [0x78, 0x01 or 0x5e or 0x9c or 0xda, _, ..] => CompressionKind.Zlib,
        _ => null,
    };

    /// <summary>Up to <paramref name="limit"/> bytes of what <paramref name="source"/> unpacks to.</summary>
    public static Unpacked Read(CompressionKind kind, ByteSource source, long limit, CancellationToken cancellation)
    {
        try
        {
            using var input = source.AsStream();
            using var stream = Open(kind, source, input);
            return ReadStream(stream, limit, cancellation);
        }
        catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
        {
            return new([], More: false, Short(e));
        }
    }

    /// <summary>Up to <paramref name="limit"/> bytes of a decompressing stream of a foreign library, whose errors on hostile input are of any type.</summary>
    public static Unpacked ReadStream(Stream stream, long limit, CancellationToken cancellation)
    {
        using var buffer = new MemoryStream();
        var chunk = new byte[Chunk];
        try
        {
            while (buffer.Length <= limit)
            {
                cancellation.ThrowIfCancellationRequested();
                var n = stream.Read(chunk, 0, Chunk);
                if (n <= 0)
                {
                    return new(buffer.ToArray(), More: false, null);
                }

                buffer.Write(chunk, 0, n);
            }

            buffer.SetLength(limit);
            return new(buffer.ToArray(), More: true, null);
        }
        catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
        {
            return new(buffer.ToArray(), More: false, Short(e));
        }
    }

    private static Stream Open(CompressionKind kind, ByteSource source, Stream input) => kind switch
    {
        CompressionKind.Gzip => new GZipStream(input, CompressionMode.Decompress),
        CompressionKind.Zlib => new ZLibStream(input, CompressionMode.Decompress),
        CompressionKind.Bzip2 => BZip2Stream.Create(input, SharpCompress.Compressors.CompressionMode.Decompress, decompressConcatenated: true),
        CompressionKind.Xz when XzHeaders.AskForMore(source, LargestDictionary) => throw new InvalidDataException($"found a dictionary of more than {LargestDictionary} bytes, expected at most that"),
        CompressionKind.Xz => new XZStream(input),
        CompressionKind.Lzma => OpenLzma(input),
        CompressionKind.Lz4 => new Lz4FrameStream(input),
        _ => new ZstdSharp.DecompressionStream(input),
    };

    // The .lzma header: properties and dictionary size, then the length (all ones: unknown). A dictionary is memory, so its size is bounded.
    private static LzmaStream OpenLzma(Stream input)
    {
        var header = new byte[13];
        input.ReadExactly(header);
        var dictionary = BitConverter.ToUInt32(header, 1);
        if (dictionary > LargestDictionary)
        {
            throw new InvalidDataException($"found an LZMA dictionary of {dictionary} bytes, expected at most {LargestDictionary}");
        }

        return LzmaStream.Create(header[..5], input, input.Length - 13, BitConverter.ToInt64(header, 5), leaveOpen: true);
    }

    private static string Short(Exception e) => e.Message.Length > 200 ? e.Message[..200] : e.Message;
}
