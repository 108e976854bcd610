using System.Buffers.Binary;
using System.Text;
using Temper.Formats.Bytes;

namespace Temper.Formats.Containers;

/// <summary>Collects members while a zip file is read, and compares what its two tables say of each.</summary>
internal sealed class ZipReading(ByteSource source, int maxMembers)
{
    private const int MaxDefects = 1000;
    private const int BombRatio = 100;
    private const long BombFloor = 1 << 20;
    private readonly List<ZipMember> _members = [];
    private readonly List<ZipDefect> _defects = [];
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);

    public void Add(ZipAnomaly kind, long offset, string member, string detail)
    {
        if (_defects.Count < MaxDefects)
        {
            _defects.Add(new(kind, offset, member, detail));
        }
    }

    /// <summary>Takes a member of the central directory; false where the limit is reached.</summary>
    public bool Member(ZipMember member, ReadOnlySpan<byte> rawName)
    {
        if (_members.Count >= maxMembers)
        {
            Add(ZipAnomaly.TooManyMembers, member.HeaderOffset, member.Name, $"found more than {maxMembers} members");
            return false;
        }

        Judge(member);
        _members.Add(WithLocal(member, rawName));
        return true;
    }

    /// <summary>Reads local headers one after another where there is no usable directory.</summary>
    public void Recover(long from, long to)
    {
        var at = from;
        while (at >= 0 && at + ZipReader.LocalHeader <= to && _members.Count < maxMembers)
        {
            var here = Next(at, to);
            if (here < 0)
            {
                return;
            }

            var member = Local(here);
            Judge(member);
            _members.Add(member);
            at = Math.Max(here + ZipReader.LocalHeader, member.DataOffset + Math.Max(0, member.PackedLength));
        }
    }

    /// <summary>Looks at the bytes between listed members: padding is fine, a local header is a member that only some readers see.</summary>
    public void FindHidden(long start, long directory)
    {
        if (start > 0)
        {
            Add(ZipAnomaly.Prefix, 0, "", $"found {start} bytes before the archive, expected none");
        }

        var end = start;
        foreach (var member in _members.Where(m => m.DataOffset >= 0).OrderBy(m => m.HeaderOffset).ToArray())
        {
            if (member.HeaderOffset < end)
            {
                Add(ZipAnomaly.Overlap, member.HeaderOffset, member.Name, $"found a member at {member.HeaderOffset}, expected it after {end}, where the one before it ends");
            }
            else
            {
                Between(end, member.HeaderOffset);
            }

            end = Math.Max(end, member.DataOffset + member.PackedLength);
        }

        Between(end, directory);
    }

    public ZipListing Finish(long start) => new(_members, _defects, start);

    private void Between(long from, long to)
    {
        if (to <= from || to > source.Length)
        {
            return;
        }

        var length = to - from;
        if (length >= 4 && source.Span(from, 4).SequenceEqual("PK\x07\x08"u8))
        {
            length -= length is 20 or 24 ? length : Math.Min(length, 16);
        }

        var gap = source.Part(to - length, length);
        if (source.IndexOf("PK\x03\x04"u8, to - length, to) >= 0)
        {
            var before = _members.Count;
            Recover(to - length, to);
            foreach (var hidden in _members.Skip(before).ToArray())
            {
                Add(ZipAnomaly.HiddenMember, hidden.HeaderOffset, hidden.Name, "found a member that the directory does not list");
            }
        }
        else if (length > 24 && !IsZero(gap))
        {
            Add(ZipAnomaly.Gap, to - length, "", $"found {length} bytes that belong to no member, expected none");
        }
    }

    private static bool IsZero(ByteSource gap)
    {
        foreach (var chunk in gap.Chunks(CancellationToken.None))
        {
            if (chunk.IndexOfAnyExcept((byte)0) >= 0)
            {
                return false;
            }
        }

        return true;
    }

    private void Judge(ZipMember member)
    {
        if (!_names.Add(member.Name))
        {
            Add(ZipAnomaly.DuplicateName, member.HeaderOffset, member.Name, "found the name a second time, expected each once");
        }

        if (ArchiveNames.Escapes(member.Name))
        {
            Add(ZipAnomaly.EscapingName, member.HeaderOffset, member.Name, "found a name that leaves the folder, expected a relative one");
        }

        if (member.IsLink)
        {
            Add(ZipAnomaly.Link, member.HeaderOffset, member.Name, "found a symbolic link, expected a file");
        }

        if ((member.Flags & 0x2061) != 0)
        {
            Add(ZipAnomaly.Flags, member.HeaderOffset, member.Name, $"found flags 0x{member.Flags:x4}, expected no bit for encryption or patches");
        }

        if (member.Length < 0 || member.PackedLength < 0 || member.HeaderOffset < 0 || (member.Method == 0 && member.Length != member.PackedLength && member.Listed))
        {
            Add(ZipAnomaly.LyingSizes, member.HeaderOffset, member.Name,
                $"found method {member.Method}, {member.PackedLength} bytes packed and {member.Length} unpacked, expected sizes that can be true");
        }

        if (member.Length > BombFloor && member.Length / BombRatio > member.PackedLength)
        {
            Add(ZipAnomaly.Bomb, member.HeaderOffset, member.Name, $"found {member.PackedLength} bytes that unpack to {member.Length}, expected at most {BombRatio} times as many");
        }
    }

    private ZipMember WithLocal(ZipMember member, ReadOnlySpan<byte> rawName)
    {
        if (member.HeaderOffset < 0 || member.HeaderOffset > source.Length - ZipReader.LocalHeader
            || !source.Span(member.HeaderOffset, 4).SequenceEqual("PK\x03\x04"u8))
        {
            Add(ZipAnomaly.LyingSizes, member.HeaderOffset, member.Name, $"found no local header at {member.HeaderOffset}, expected one");
            return member;
        }

        var header = source.Span(member.HeaderOffset, ZipReader.LocalHeader);
        int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(header[26..]);
        var data = member.HeaderOffset + ZipReader.LocalHeader + nameLength + BinaryPrimitives.ReadUInt16LittleEndian(header[28..]);
        if (data > source.Length || member.PackedLength > source.Length - data)
        {
            Add(ZipAnomaly.LyingSizes, member.HeaderOffset, member.Name, $"found {member.PackedLength} bytes at {data}, expected them within {source.Length}");
            return data > source.Length ? member : member with { DataOffset = data };
        }

        var name = source.Span(member.HeaderOffset + ZipReader.LocalHeader, nameLength);
        if (!name.SequenceEqual(rawName))
        {
            Add(ZipAnomaly.NameMismatch, member.HeaderOffset, member.Name, $"found '{Encoding.UTF8.GetString(name)}' in the local header, expected the same name as in the directory");
        }

        Compare(member, header);
        return member with { DataOffset = data };
    }

    private void Compare(ZipMember member, ReadOnlySpan<byte> header)
    {
        var flags = BinaryPrimitives.ReadUInt16LittleEndian(header[6..]);
        var method = BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        var crc = BinaryPrimitives.ReadUInt32LittleEndian(header[14..]);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(header[22..]);
        if ((flags & 0x2061) != (member.Flags & 0x2061))
        {
            Add(ZipAnomaly.Flags, member.HeaderOffset, member.Name, $"found flags 0x{flags:x4} in the local header and 0x{member.Flags:x4} in the directory, expected the same");
        }

        var deferred = (flags & 8) != 0;
        if (method != member.Method || (crc != member.Crc && !(deferred && crc == 0)) || (length != member.Length && !(deferred && length == 0) && length != uint.MaxValue))
        {
            Add(ZipAnomaly.HeaderMismatch, member.HeaderOffset, member.Name,
                $"found method {method}, CRC {crc:x8} and {length} bytes in the local header, expected {member.Method}, {member.Crc:x8} and {member.Length}");
        }
    }

    private long Next(long from, long to)
    {
        var at = source.IndexOf("PK\x03\x04"u8, from, to);
        return at < 0 || at + ZipReader.LocalHeader > to ? -1 : at;
    }

    private ZipMember Local(long at)
    {
        var header = source.Span(at, ZipReader.LocalHeader);
        int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(header[26..]);
        int extraLength = BinaryPrimitives.ReadUInt16LittleEndian(header[28..]);
        var flags = BinaryPrimitives.ReadUInt16LittleEndian(header[6..]);
        long packed = BinaryPrimitives.ReadUInt32LittleEndian(header[18..]);
        long length = BinaryPrimitives.ReadUInt32LittleEndian(header[22..]);
        long unused = 0;
        var nameAt = at + ZipReader.LocalHeader;
        var room = source.Length - nameAt;
        var name = Encoding.UTF8.GetString(source.Span(nameAt, (int)Math.Min(nameLength, room)));
        var data = nameAt + nameLength + extraLength;
        if (data > source.Length)
        {
            return new(name, 0, flags, 0, 0, 0, at, source.Length, IsLink: false, Listed: false);
        }

        ZipReader.Zip64Extra(source.Span(nameAt + nameLength, extraLength), ref length, ref packed, ref unused);
        if (packed <= 0 || packed > source.Length - data)
        {
            packed = source.Length - data;
        }

        return new(name, BinaryPrimitives.ReadUInt16LittleEndian(header[8..]), flags, BinaryPrimitives.ReadUInt32LittleEndian(header[14..]),
            packed, Math.Max(length, 0), at, data, IsLink: false, Listed: false);
    }
}
