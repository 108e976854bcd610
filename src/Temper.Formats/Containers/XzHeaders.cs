using System.Buffers.Binary;
using Temper.Formats.Bytes;

namespace Temper.Formats.Containers;

/// <summary>The dictionaries that the blocks of an xz file ask for, which a decoder makes room for before it has read a byte of the block.</summary>
internal static class XzHeaders
{
    private const int LongestHeader = 1024;
    private const int LargestSize = 40;
    private const int Lzma2 = 0x21;

    /// <summary>
    /// Whether any block asks for a larger dictionary than <paramref name="most"/>. Where blocks begin is known only to who has unpacked those before,
    /// so every place that reads like the filter is looked at, and counts if a header with the right checksum can hold it.
    /// </summary>
    public static bool AskForMore(ByteSource source, long most)
    {
        for (var at = source.IndexOf([Lzma2, 1], 0, source.Length); at >= 0 && at + 2 < source.Length; at = source.IndexOf([Lzma2, 1], at + 1, source.Length))
        {
            if (Dictionary(source.Span(at + 2, 1)[0]) > most && IsInHeader(source, at))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsInHeader(ByteSource source, long at)
    {
        // Headers begin at multiples of four; their first byte says their length, their last four bytes are a checksum.
        for (var start = at / 4 * 4; start >= 0 && start > at - LongestHeader; start -= 4)
        {
            var length = (source.Span(start, 1)[0] + 1) * 4;
            if (length > 8 && start + length > at && start + length <= source.Length
                && Crc32.Compute(source.Span(start, length - 4)) == BinaryPrimitives.ReadUInt32LittleEndian(source.Span(start + length - 4, 4)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Bytes of the dictionary that an LZMA2 filter's one byte asks for.</summary>
    public static long Dictionary(byte size) => size >= LargestSize ? uint.MaxValue : (2L | (uint)(size & 1)) << ((size / 2) + 11);
}
