using System.Buffers.Binary;
using Temper.Formats.Bytes;

namespace Temper.Formats.Hdf5;

/// <summary>What is wrong with a structure; caught where the next one can still be read.</summary>
internal sealed class Hdf5Exception(long offset, string found, string expected) : Exception($"at byte {offset}: found {found}, expected {expected}");

/// <summary>How many bytes an address and a length take in a file, and where its addresses count from.</summary>
internal sealed record Hdf5Layout(long Base, int AddressSize, int LengthSize);

/// <summary>Reads numbers one after the other from a place in the file.</summary>
internal ref struct Hdf5Cursor(ByteSource source, Hdf5Layout layout, long start)
{
    /// <summary>The place of the next byte in the file.</summary>
    public long At { get; private set; } = start;

    public ReadOnlySpan<byte> Take(long count)
    {
        Skip(count);
        return source.Span(At - count, (int)count);
    }

    public void Skip(long count)
    {
        if (At < 0 || count < 0 || count > int.MaxValue || At > source.Length || count > source.Length - At)
        {
            throw new Hdf5Exception(At, $"a structure of {count} bytes", $"one within the {source.Length} of the file");
        }

        At += count;
    }

    public long Number(int size)
    {
        var bytes = Take(size);
        ulong value = 0;
        for (var i = size - 1; i >= 0; i--)
        {
            value = (value << 8) | bytes[i];
        }

        return (long)value;
    }

    public int Byte() => Take(1)[0];

    public int Short() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public long Word() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public long Length() => Number(layout.LengthSize);

    /// <summary>A place in the file; null for the address that means none.</summary>
    public long? Address()
    {
        var value = Number(layout.AddressSize);
        return value == (layout.AddressSize == 8 ? -1 : (1L << (8 * layout.AddressSize)) - 1) ? null
            : value < 0 || value > source.Length - layout.Base ? throw new Hdf5Exception(At, $"the address {value}", $"one within the {source.Length} bytes of the file")
            : value + layout.Base;
    }

    public void Signature(ReadOnlySpan<byte> expected)
    {
        if (!Take(expected.Length).SequenceEqual(expected))
        {
            throw new Hdf5Exception(At - expected.Length, "another structure", System.Text.Encoding.ASCII.GetString(expected));
        }
    }

    public void Version(int expected)
    {
        if (Byte() is var found && found != expected)
        {
            throw new Hdf5Exception(At - 1, $"version {found} of a structure", $"{expected}");
        }
    }
}
