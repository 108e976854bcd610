using System.IO.Compression;
using K4os.Compression.LZ4;

namespace Temper.Formats.Data.Parquet;

/// <summary>Unpacks pages; what a page unpacks to is bounded before anything is allocated.</summary>
internal static class ParquetCodec
{
    private const long MostPage = 256L << 20;
    private const long AnyRatio = 4L << 20;
    private const int MostRatio = 1100;

    public static byte[] Unpack(int codec, byte[] packed, long size)
    {
        if (size < 0 || size > MostPage || (size > AnyRatio && size / MostRatio > packed.Length))
        {
            throw new InvalidDataException($"found a page of {packed.Length} bytes that says it unpacks to {size}");
        }

        var result = codec switch
        {
            0 => packed,
            1 => Snappy(packed, size),
            2 => Stream(new GZipStream(new MemoryStream(packed), CompressionMode.Decompress), size),
            4 => Stream(new BrotliStream(new MemoryStream(packed), CompressionMode.Decompress), size),
            6 => Stream(new ZstdSharp.DecompressionStream(new MemoryStream(packed)), size),
            7 => Lz4(packed, size),
            _ => throw new InvalidDataException($"found codec {codec}, which is not read"),
        };
        return result.Length == size ? result : throw new InvalidDataException($"found a page that unpacks to {result.Length} bytes, expected {size}");
    }

    private static byte[] Stream(Stream stream, long size)
    {
        using (stream)
        {
            try
            {
                // One byte more than promised shows that there is more.
                var result = new byte[size + 1];
                return result[..stream.ReadAtLeast(result, result.Length, throwOnEndOfStream: false)];
            }
            catch (Exception e) when (e is not (OutOfMemoryException or InvalidDataException))
            {
                throw new InvalidDataException(e.Message, e);
            }
        }
    }

    private static byte[] Lz4(byte[] packed, long size)
    {
        var result = new byte[size];
        var count = LZ4Codec.Decode(packed, result);
        return count >= 0 ? result[..count] : throw new InvalidDataException("found a page that LZ4 cannot unpack");
    }

    // google/snappy format_description: a length, then literals and copies.
    private static byte[] Snappy(ReadOnlySpan<byte> packed, long size)
    {
        var at = 0;
        var length = 0UL;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var b = at < packed.Length ? packed[at++] : throw Cut();
            length |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                break;
            }
        }

        if (length != (ulong)size)
        {
            throw new InvalidDataException($"found a page that says it unpacks to {length} bytes, expected {size}");
        }

        var result = new byte[size];
        var to = 0;
        while (at < packed.Length)
        {
            var tag = packed[at++];
            if ((tag & 3) == 0)
            {
                var extra = Math.Max(0, (tag >> 2) - 59);
                var count = extra == 0 ? (tag >> 2) + 1L : Little(packed, ref at, extra) + 1;
                if (count > packed.Length - at || count > result.Length - to)
                {
                    throw Cut();
                }

                packed.Slice(at, (int)count).CopyTo(result.AsSpan(to));
                at += (int)count;
                to += (int)count;
                continue;
            }

            var (copied, back) = (tag & 3) switch
            {
                1 => (((tag >> 2) & 7) + 4, ((long)(tag >> 5) << 8) | Little(packed, ref at, 1)),
                2 => ((tag >> 2) + 1, Little(packed, ref at, 2)),
                _ => ((tag >> 2) + 1, Little(packed, ref at, 4)),
            };
            if (back <= 0 || back > to || copied > result.Length - to)
            {
                throw Cut();
            }

            for (var i = 0; i < copied; i++, to++)
            {
                result[to] = result[to - (int)back];
            }
        }

        return result[..to];
    }

    private static long Little(ReadOnlySpan<byte> packed, ref int at, int bytes)
    {
        if (bytes > packed.Length - at)
        {
            throw Cut();
        }

        var value = 0L;
        for (var i = 0; i < bytes; i++)
        {
            value |= (long)packed[at++] << (8 * i);
        }

        return value;
    }

    private static InvalidDataException Cut() => new("found a page that Snappy cannot unpack");
}
