using System.Buffers.Binary;
using System.Globalization;
using SharpCompress.Compressors.LZMA;
using Temper.Formats.Bytes;

namespace Temper.Formats.Containers;

/// <summary>
/// Walks the header of a 7z archive before a decoder does, since decoders make room for as many files and as large a dictionary as a header of a hundred
/// bytes claims: every count must fit the bytes that are there.
/// </summary>
internal ref struct SevenZipHeader
{
    private const int Start = 32;
    private const int LargestHeader = 64 << 20;
    /// <summary>What a decoder may take for its dictionary.</summary>
    public const long LargestMemory = 256L << 20;

    private const int MaxCoders = 32;
    private readonly ReadOnlySpan<byte> _header;
    private int _at;

    private SevenZipHeader(ReadOnlySpan<byte> header) => _header = header;

    /// <summary>Throws an <see cref="InvalidDataException"/> where the header does not hold.</summary>
    public static void Check(ByteSource source)
    {
        Require(source.Length >= Start, "the end of the file", "a start header");
        var (offset, length) = (BinaryPrimitives.ReadInt64LittleEndian(source.Span(12, 8)), BinaryPrimitives.ReadInt64LittleEndian(source.Span(20, 8)));
        Require(length is >= 0 and <= LargestHeader && offset >= 0 && offset <= source.Length - Start && length <= source.Length - Start - offset, $"a header of {length} bytes", "one within the file and 64 MiB");
        var bytes = source.Span(Start + offset, (int)length);
        for (var level = 0; bytes.Length > 0; level++)
        {
            Require(level < 4, "a header packed in headers", "at most three");
            var header = new SevenZipHeader(bytes);
            switch (header.Byte())
            {
                case 0x17:
                    bytes = header.Unpack(source);
                    break;
                case 1:
                    header.Main();
                    return;
                default:
                    throw new InvalidDataException($"found a header of kind {bytes[0]}, expected 1 or 23");
            }
        }
    }

    private void Main()
    {
        var id = Number();
        if (id == 2)
        {
            for (var property = Number(); property != 0; property = Number())
            {
                Skip(Number());
            }

            id = Number();
        }

        for (; id is 3 or 4; id = Number())
        {
            Streams();
        }

        if (id == 5)
        {
            // A name ends in two zero bytes at least.
            Count(2);
            for (id = Number(); id != 0; id = Number())
            {
                Skip(Number());
            }

            id = Number();
        }

        Require(id == 0, $"part {id} of a header", "its end");
    }

    // The header as the one coder of an encoded header packs it.
    private byte[] Unpack(ByteSource source)
    {
        var packed = Streams();
        if (packed is not { Sizes: [var length], Folders: [{ Coders: [{ Id: 0x030101 or 0 } coder], Unpacked: >= 0 and <= LargestHeader and var unpacked }] })
        {
            throw new InvalidDataException("found a packed header of another kind, expected one LZMA stream of at most 64 MiB");
        }

        var at = Start + packed.Position;
        Require(packed.Position >= 0 && at <= source.Length && length >= 0 && length <= source.Length - at, "a packed header outside the file", "one inside");
        using var stream = source.Part(at, length).AsStream();
        using var lzma = coder.Id == 0 ? stream : LzmaStream.Create(coder.Properties, stream, length, unpacked, leaveOpen: true);
        var result = new byte[unpacked];
        lzma.ReadExactly(result);
        return result;
    }

    private Packed Streams()
    {
        var (position, sizes, folders) = (0L, Array.Empty<long>(), new List<Folder>());
        for (var id = Number(); id != 0; id = Number())
        {
            switch (id)
            {
                case 6:
                    position = Number();
                    sizes = Sizes();
                    break;
                case 7:
                    Folders(folders);
                    break;
                case 8:
                    Substreams(folders);
                    break;
                default:
                    throw new InvalidDataException($"found part {id} among streams, expected 6 to 8");
            }
        }

        return new(position, sizes, [.. folders]);
    }

    private long[] Sizes()
    {
        var sizes = new long[Count(1)];
        for (var id = Number(); id != 0; id = Number())
        {
            if (id == 9)
            {
                for (var i = 0; i < sizes.Length; i++)
                {
                    sizes[i] = Number();
                }
            }
            else
            {
                Require(id == 10, $"part {id} of packed streams", "9 or 10");
                Digests(sizes.Length);
            }
        }

        return sizes;
    }

    private void Folders(List<Folder> folders)
    {
        Require(Number() == 11, "no folders", "folders");
        var count = Count(3);
        Require(Byte() == 0, "folders kept elsewhere", "them here");
        for (var i = 0; i < count; i++)
        {
            folders.Add(Coders());
        }

        for (var id = Number(); id != 0; id = Number())
        {
            if (id == 12)
            {
                for (var i = 0; i < count; i++)
                {
                    for (var o = 0; o < folders[i].Outputs; o++)
                    {
                        var size = Number();
                        folders[i] = o == 0 ? folders[i] with { Unpacked = size } : folders[i];
                    }
                }
            }
            else
            {
                Require(id == 10, $"part {id} of folders", "10 or 12");
                var defined = Digests(count);
                for (var i = 0; i < count; i++)
                {
                    folders[i] = folders[i] with { HasDigest = defined[i] };
                }
            }
        }
    }

    private Folder Coders()
    {
        var coders = new Coder[Count(1)];
        Require(coders.Length is > 0 and <= MaxCoders, $"{coders.Length} coders", $"1 to {MaxCoders}");
        long inputs = 0, outputs = 0;
        for (var i = 0; i < coders.Length; i++)
        {
            var flags = Byte();
            long id = 0;
            foreach (var b in Take(Math.Min(flags & 15, 8)))
            {
                id = (id << 8) | b;
            }

            var (read, made) = (flags & 0x10) != 0 ? (Number(), Number()) : (1, 1);
            Require(read is > 0 and <= MaxCoders && made is > 0 and <= MaxCoders, $"{read} inputs and {made} outputs", $"at most {MaxCoders} each");
            (inputs, outputs) = (inputs + read, outputs + made);
            coders[i] = new(id, (flags & 0x20) != 0 ? Take(Number()).ToArray() : []);
            Require(Memory(coders[i]) <= LargestMemory, $"a coder that takes {Memory(coders[i])} bytes of memory", $"at most {LargestMemory}");
        }

        for (var bonds = 2 * (outputs - 1); bonds > 0; bonds--)
        {
            Number();
        }

        var packed = inputs - (outputs - 1);
        Require(packed > 0, "more bonds than inputs", "fewer");
        for (var i = 0; packed > 1 && i < packed; i++)
        {
            Number();
        }

        return new(coders, outputs, -1, HasDigest: false);
    }

    private void Substreams(List<Folder> folders)
    {
        var counts = Enumerable.Repeat(1L, folders.Count).ToArray();
        var id = Number();
        if (id == 13)
        {
            for (var i = 0; i < counts.Length; i++)
            {
                counts[i] = Number();
            }

            id = Number();
        }

        // All but the last substream of a folder have a size of a byte at least, in what is left of the header.
        Require(counts.All(c => c >= 0) && counts.Sum(c => (decimal)c) - counts.Length <= _header.Length, "more streams in a folder than a header names", "fewer");
        for (; id != 0; id = Number())
        {
            if (id == 9)
            {
                foreach (var count in counts)
                {
                    for (long i = 1; i < count; i++)
                    {
                        Number();
                    }
                }
            }
            else
            {
                Require(id == 10, $"part {id} of substreams", "9 or 10");
                Digests((int)counts.Where((c, i) => c != 1 || !folders[i].HasDigest).Sum());
            }
        }
    }

    private bool[] Digests(int count)
    {
        Require(count <= 8L * _header.Length, $"{count} digests", "as many as fit");
        var defined = new bool[count];
        var bits = Byte() == 0 ? Take((count + 7) / 8) : [];
        for (var i = 0; i < count; i++)
        {
            defined[i] = bits.IsEmpty || (bits[i / 8] & (0x80 >> (i % 8))) != 0;
        }

        Skip(4L * defined.Count(d => d));
        return defined;
    }

    // What a decoder allocates before it has read a byte.
    private static long Memory(Coder coder) => (coder.Id, coder.Properties) switch
    {
        (0x030101 or 0x030401, { Length: >= 5 } p) => BinaryPrimitives.ReadUInt32LittleEndian(p.AsSpan(1)),
        (0x21, [var size, ..]) => XzHeaders.Dictionary(size),
        _ => 0,
    };

    private int Count(int least)
    {
        var count = Number();
        Require(count >= 0 && count * (decimal)least <= _header.Length - _at, $"{count} items in the {_header.Length - _at} bytes left of a header", "as many as fit");
        return (int)count;
    }

    // The first byte's high bits say how many bytes follow; the rest of it are the highest bits of the number.
    private long Number()
    {
        var first = Byte();
        ulong value = 0;
        for (var i = 0; i < 8; i++)
        {
            if ((first & (0x80 >> i)) == 0)
            {
                return (long)(value + ((ulong)(first & ((0x80 >> i) - 1)) << (8 * i)));
            }

            value |= (ulong)Byte() << (8 * i);
        }

        return (long)value;
    }

    private int Byte() => Take(1)[0];

    private void Skip(long count) => Take(count);

    private ReadOnlySpan<byte> Take(long count)
    {
        Require(count >= 0 && count <= _header.Length - _at, $"a part of {count} bytes", $"one within the {_header.Length - _at} left of the header");
        _at += (int)count;
        return _header.Slice(_at - (int)count, (int)count);
    }

    private static void Require(bool holds, string found, string expected)
    {
        if (!holds)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"found {found}, expected {expected}"));
        }
    }

    private sealed record Coder(long Id, byte[] Properties);

    private sealed record Folder(Coder[] Coders, long Outputs, long Unpacked, bool HasDigest);

    private sealed record Packed(long Position, long[] Sizes, Folder[] Folders);
}
