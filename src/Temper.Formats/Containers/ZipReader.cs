using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Temper.Formats.Bytes;

namespace Temper.Formats.Containers;

/// <summary>Reads zip files as several loaders would, and reports where those would disagree.</summary>
public static class ZipReader
{
    internal const int LocalHeader = 30;
    private const int CentralHeader = 46;
    private const int EndRecord = 22;

    /// <summary>Whether there is an end record, or at least a local header at the start.</summary>
    public static bool Recognize(ByteSource source) => source.Head(4).SequenceEqual("PK\x03\x04"u8) || FindEnd(source) >= 0;

    /// <summary>The members that the central directory lists, then those that only local headers show.</summary>
    public static ZipListing Read(ByteSource source, int maxMembers)
    {
        var reading = new ZipReading(source, maxMembers);
        var end = FindEnd(source);
        if (end < 0)
        {
            reading.Add(ZipAnomaly.BrokenDirectory, source.Length, "", "found no end record, expected one in the last 64 KiB");
            reading.Recover(0, source.Length);
            return reading.Finish(0);
        }

        var record = source.Span(end, EndRecord);
        long count = BinaryPrimitives.ReadUInt16LittleEndian(record[10..]);
        long size = BinaryPrimitives.ReadUInt32LittleEndian(record[12..]);
        long offset = BinaryPrimitives.ReadUInt32LittleEndian(record[16..]);
        var after = end + EndRecord + BinaryPrimitives.ReadUInt16LittleEndian(record[20..]);
        var directoryEnd = end;
        Zip64End(source, end, ref count, ref size, ref offset, ref directoryEnd, reading);

        if (after < source.Length)
        {
            reading.Add(ZipAnomaly.Suffix, after, "", $"found {source.Length - after} bytes after the end of the archive, expected none");
        }

        // Bytes before the archive shift it: offsets count from where it begins, as in CPython's zipfile.
        // Both numbers come from the file, and their sum may be beyond every number.
        var start = size < 0 || offset < 0 || size > directoryEnd || offset > directoryEnd - size ? -1 : directoryEnd - size - offset;
        if (start < 0)
        {
            reading.Add(ZipAnomaly.LyingSizes, end, "", $"found a directory of {size} bytes at {offset}, expected one that ends at {directoryEnd}");
            reading.Recover(0, end);
            return reading.Finish(0);
        }

        Directory(source, start, start + offset, directoryEnd, count, reading);
        reading.FindHidden(start, start + offset);
        return reading.Finish(start);
    }

    /// <summary>A member's content within a limit; stored content is not copied.</summary>
    public static (ByteSource Content, bool More, string? Error) Open(ByteSource source, ZipMember member, long limit, CancellationToken cancellation)
    {
        if (member.DataOffset < 0 || member.DataOffset > source.Length)
        {
            return (ByteSource.Of([]), false, "found no data, expected it in the file");
        }

        var packed = source.Part(member.DataOffset, Math.Min(member.PackedLength, source.Length - member.DataOffset));
        var cut = packed.Length < member.PackedLength ? "found the end of the file inside the member" : null;
        switch (member.Method)
        {
            case 0:
                return (packed, false, cut);
            case 8:
                using (var input = packed.AsStream())
                using (var deflate = new DeflateStream(input, CompressionMode.Decompress))
                {
                    var unpacked = Compression.ReadStream(deflate, limit, cancellation);
                    return (ByteSource.Of(unpacked.Data), unpacked.More, unpacked.Error ?? cut);
                }

            case 12 or 93 or 95:
                var kind = member.Method switch { 12 => CompressionKind.Bzip2, 93 => CompressionKind.Zstd, _ => CompressionKind.Xz };
                var other = Compression.Read(kind, packed, limit, cancellation);
                return (ByteSource.Of(other.Data), other.More, other.Error ?? cut);
            default:
                return (ByteSource.Of([]), false, $"found compression method {member.Method}, expected stored, deflate, bzip2, zstd or xz");
        }
    }

    private static long FindEnd(ByteSource source)
    {
        var tail = source.Tail(EndRecord + 65_535);
        var at = tail.LastIndexOf("PK\x05\x06"u8);
        while (at >= 0 && tail.Length - at < EndRecord)
        {
            at = tail[..at].LastIndexOf("PK\x05\x06"u8);
        }

        return at < 0 ? -1 : source.Length - tail.Length + at;
    }

    private static void Zip64End(ByteSource source, long end, ref long count, ref long size, ref long offset, ref long directoryEnd, ZipReading reading)
    {
        var locator = end - 20;
        if (locator < 0 || !source.Span(locator, 4).SequenceEqual("PK\x06\x07"u8))
        {
            return;
        }

        var told = BinaryPrimitives.ReadInt64LittleEndian(source.Span(locator + 8, 8));
        var at = locator - 56;
        if (at < 0 || !source.Span(at, 4).SequenceEqual("PK\x06\x06"u8))
        {
            reading.Add(ZipAnomaly.LyingSizes, locator, "", $"found a zip64 locator that leads to {told}, expected the record right before it");
            return;
        }

        directoryEnd = at;
        if (count != 0xFFFF && size != 0xFFFF_FFFF && offset != 0xFFFF_FFFF)
        {
            // torch writes the zip64 records always, also where nothing needs them.
            return;
        }

        var record = source.Span(at, 56);
        count = BinaryPrimitives.ReadInt64LittleEndian(record[32..]);
        size = BinaryPrimitives.ReadInt64LittleEndian(record[40..]);
        offset = BinaryPrimitives.ReadInt64LittleEndian(record[48..]);
    }

    private static void Directory(ByteSource source, long start, long from, long to, long count, ZipReading reading)
    {
        var at = from;
        long seen = 0;
        while (at + CentralHeader <= to && source.Span(at, 4).SequenceEqual("PK\x01\x02"u8))
        {
            var header = source.Span(at, CentralHeader);
            int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(header[28..]);
            int extraLength = BinaryPrimitives.ReadUInt16LittleEndian(header[30..]);
            int commentLength = BinaryPrimitives.ReadUInt16LittleEndian(header[32..]);
            if (at + CentralHeader + nameLength + extraLength + commentLength > to)
            {
                reading.Add(ZipAnomaly.BrokenDirectory, at, "", "found an entry that leaves the directory, expected its end before");
                break;
            }

            seen++;
            var name = source.Span(at + CentralHeader, nameLength);
            long packed = BinaryPrimitives.ReadUInt32LittleEndian(header[20..]);
            long length = BinaryPrimitives.ReadUInt32LittleEndian(header[24..]);
            long local = BinaryPrimitives.ReadUInt32LittleEndian(header[42..]);
            Zip64Extra(source.Span(at + CentralHeader + nameLength, extraLength), ref length, ref packed, ref local);
            var isLink = ((BinaryPrimitives.ReadUInt32LittleEndian(header[38..]) >> 16) & 0xF000) == 0xA000;
            var more = reading.Member(new(Encoding.UTF8.GetString(name), BinaryPrimitives.ReadUInt16LittleEndian(header[10..]),
                BinaryPrimitives.ReadUInt16LittleEndian(header[8..]), BinaryPrimitives.ReadUInt32LittleEndian(header[16..]),
                packed, length, local < 0 ? -1 : start + local, -1, isLink, Listed: true), name);
            if (!more)
            {
                return;
            }

            at += CentralHeader + nameLength + extraLength + commentLength;
        }

        if (seen != count && (seen & 0xFFFF) != count)
        {
            reading.Add(ZipAnomaly.BrokenDirectory, at, "", $"found {seen} entries in the directory, expected {count}");
        }
    }

    internal static void Zip64Extra(ReadOnlySpan<byte> extra, ref long length, ref long packed, ref long local)
    {
        while (extra.Length >= 4)
        {
            var size = BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]);
            if (size > extra.Length - 4)
            {
                return;
            }

            if (BinaryPrimitives.ReadUInt16LittleEndian(extra) == 1)
            {
                var field = extra.Slice(4, size);
                Take(ref field, ref length);
                Take(ref field, ref packed);
                Take(ref field, ref local);
                return;
            }

            extra = extra[(4 + size)..];
        }
    }

    private static void Take(ref ReadOnlySpan<byte> field, ref long value)
    {
        if (value == 0xFFFF_FFFF && field.Length >= 8)
        {
            value = BinaryPrimitives.ReadInt64LittleEndian(field);
            field = field[8..];
        }
    }
}
