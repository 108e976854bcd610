using System.Buffers.Binary;
using System.Text;
using Temper.Formats.Bytes;

namespace Temper.Formats.Protobuf;

/// <summary>How a field is written.</summary>
public enum ProtoWire { Number = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 }

/// <summary>One field: a number, or where its bytes lie in the file.</summary>
public readonly record struct ProtoField(int Number, ProtoWire Wire, ulong Value, int Start, int Length)
{
    /// <summary>The first byte after the field's content.</summary>
    public int End => Start + Length;

    /// <summary>Whether it is a message, text, bytes or packed numbers under this number.</summary>
    public bool Is(int number) => Number == number && Wire == ProtoWire.Bytes;
}

/// <summary>
/// Walks the fields of one protobuf message without a schema and without copying. Messages inside it are walked by readers of their own,
/// so nothing recurses here. What cannot be read ends the walk with an <see cref="Error"/>.
/// </summary>
public ref struct ProtoReader(ByteSource file, int start, int end)
{
    private const int Ahead = 4096;
    private readonly ByteSource _file = file;
    private readonly int _end = (int)Math.Min(end, file.Length);
    private ReadOnlySpan<byte> _window;
    private int _windowStart;
    private int _at = start;

    /// <summary>A reader of the message in a field.</summary>
    public ProtoReader(ByteSource file, ProtoField field) : this(file, field.Start, field.End)
    {
    }

    /// <summary>The field that <see cref="Next"/> found.</summary>
    public ProtoField Field { get; private set; }

    /// <summary>Where and why the walk ended early; null at a clean end.</summary>
    public string? Error { get; private set; }

    /// <summary>The byte at which the next field begins.</summary>
    public readonly int At => _at;

    /// <summary>Goes to the next field; one that claims more bytes than there are is cut, and is the last.</summary>
    public bool Next()
    {
        if (Error is not null || _at >= _end)
        {
            return false;
        }

        var first = _at;
        if (!Varint(out var key) || key > uint.MaxValue || key >> 3 == 0)
        {
            return Stop(first, "no field");
        }

        var (number, wire) = ((int)(key >> 3), (ProtoWire)(key & 7));
        switch (wire)
        {
            case ProtoWire.Number:
                if (!Varint(out var value))
                {
                    return Stop(first, "a number that does not end");
                }

                Field = new(number, wire, value, first, _at - first);
                return true;
            case ProtoWire.Fixed64 or ProtoWire.Fixed32:
                var size = wire == ProtoWire.Fixed64 ? 8 : 4;
                if (_end - _at < size)
                {
                    return Stop(first, "a number that does not end");
                }

                var bits = size == 8 ? BinaryPrimitives.ReadUInt64LittleEndian(_file.Span(_at, size)) : BinaryPrimitives.ReadUInt32LittleEndian(_file.Span(_at, size));
                Field = new(number, wire, bits, _at, size);
                _at += size;
                return true;
            case ProtoWire.Bytes:
                if (!Varint(out var length))
                {
                    return Stop(first, "a length that does not end");
                }

                var left = (ulong)(_end - _at);
                if (length > left)
                {
                    Error = $"at byte {first}: found a length of {length}, expected at most {left}";
                }

                Field = new(number, wire, length, _at, (int)Math.Min(length, left));
                _at += Field.Length;
                return true;
            default:
                return Stop(first, $"wire type {(int)wire}");
        }
    }

    /// <summary>The whole file as one message; protobuf itself reads no more than 2 GiB.</summary>
    public static ProtoField All(ByteSource file) => new(0, ProtoWire.Bytes, 0, 0, (int)Math.Min(int.MaxValue, file.Length));

    /// <summary>The bytes of a field, at most <paramref name="most"/> of them.</summary>
    public static ReadOnlySpan<byte> Bytes(ByteSource file, ProtoField field, int most = 4096) => file.Span(field.Start, Math.Min(most, field.Length));

    /// <summary>The text of a field, at most <paramref name="most"/> bytes of it.</summary>
    public static string Text(ByteSource file, ProtoField field, int most = 4096) =>
        Encoding.UTF8.GetString(file.Span(field.Start, Math.Min(most, field.Length)));

    private bool Stop(int at, string found)
    {
        Error = $"at byte {at}: found {found}, expected a field of a message";
        return false;
    }

    private byte Byte()
    {
        if ((uint)(_at - _windowStart) >= (uint)_window.Length)
        {
            // Most messages are short: what is read ahead for their fields is not more than they have.
            _windowStart = _at;
            _window = _file.Span(_at, Math.Min(Ahead, _end - _at));
        }

        return _window[_at++ - _windowStart];
    }

    private bool Varint(out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 70 && _at < _end; shift += 7)
        {
            var b = Byte();
            value |= shift < 64 ? (ulong)(b & 0x7F) << shift : 0;
            if (b < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}
