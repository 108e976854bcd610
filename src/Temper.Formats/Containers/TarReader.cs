using System.Text;
using Temper.Formats.Bytes;

namespace Temper.Formats.Containers;

/// <summary>One entry of a tar file; <paramref name="Link"/> is where a link leads.</summary>
public sealed record TarEntry(string Name, char Type, long Offset, long Length, string? Link);

/// <summary>The entries of a tar file as far as it could be read, and why not further.</summary>
public sealed record TarListing(IReadOnlyList<TarEntry> Entries, string? Error, long ErrorOffset);

/// <summary>Reads tar headers: v7, ustar, GNU long names and pax paths.</summary>
public static class TarReader
{
    private const int Block = 512;

    /// <summary>Whether the first block is a tar header: its checksum holds.</summary>
    public static bool Recognize(ReadOnlySpan<byte> head) => head.Length >= Block && head[0] != 0 && ChecksumHolds(head[..Block]);

    /// <summary>All entries, at most <paramref name="limit"/>.</summary>
    public static TarListing Read(ByteSource source, int limit)
    {
        var entries = new List<TarEntry>();
        string? longName = null;
        for (long at = 0; at + Block <= source.Length;)
        {
            var header = source.Span(at, Block);
            if (header.IndexOfAnyExcept((byte)0) < 0)
            {
                return new(entries, null, at);
            }

            if (!ChecksumHolds(header) || Number(header.Slice(124, 12)) is not { } size || size > source.Length - at - Block)
            {
                return new(entries, "found a header that does not hold, expected a checksum and a size within the file", at);
            }

            if (entries.Count == limit)
            {
                return new(entries, $"found more than {limit} entries", at);
            }

            var type = (char)header[156];
            var data = at + Block;
            if (type is 'L' or 'x')
            {
                longName = LongName(source.Span(data, (int)Math.Min(size, 1 << 20)), type) ?? longName;
            }
            else if (type is not ('K' or 'g'))
            {
                var link = type is '1' or '2' ? Text(header.Slice(157, 100)) : null;
                entries.Add(new(longName ?? Name(header), type, data, type is '1' or '2' or '5' ? 0 : size, link));
                longName = null;
            }

            at = data + ((size + Block - 1) / Block * Block);
        }

        return new(entries, "found the end of the file, expected an empty block", source.Length);
    }

    private static string Name(ReadOnlySpan<byte> header)
    {
        var name = Text(header[..100]);
        var prefix = header.Slice(257, 6).SequenceEqual("ustar\0"u8) ? Text(header.Slice(345, 155)) : "";
        return prefix.Length == 0 ? name : $"{prefix}/{name}";
    }

    private static string? LongName(ReadOnlySpan<byte> data, char type)
    {
        if (type == 'L')
        {
            return Text(data);
        }

        foreach (var line in Encoding.UTF8.GetString(data).Split('\n'))
        {
            var at = line.IndexOf(" path=", StringComparison.Ordinal);
            if (at >= 0)
            {
                return line[(at + 6)..];
            }
        }

        return null;
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }

    private static long? Number(ReadOnlySpan<byte> field)
    {
        long value = 0;
        if ((field[0] & 0x80) != 0)
        {
            foreach (var b in field[(field.Length - 8)..])
            {
                value = (value << 8) | b;
            }

            return value < 0 ? null : value;
        }

        foreach (var b in field.Trim(" \0"u8))
        {
            if (b is < (byte)'0' or > (byte)'7' || value > long.MaxValue >> 3)
            {
                return null;
            }

            value = (value << 3) | (long)(b - '0');
        }

        return value;
    }

    private static bool ChecksumHolds(ReadOnlySpan<byte> header)
    {
        var sum = 8 * ' ';
        for (var i = 0; i < Block; i++)
        {
            sum += i is >= 148 and < 156 ? 0 : header[i];
        }

        return Number(header.Slice(148, 8)) == sum;
    }
}
