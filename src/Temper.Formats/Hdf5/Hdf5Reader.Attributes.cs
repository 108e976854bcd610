using System.Text;

namespace Temper.Formats.Hdf5;

// Attributes whose values are text: Keras keeps a model's layers there.
public sealed partial class Hdf5Reader
{
    private const int FixedText = 3;
    private const int Variable = 9;

    private void Attribute(long at, int size, string path)
    {
        var cursor = Cursor(at);
        var end = at + size;
        var version = cursor.Byte();
        if (version is < 1 or > 3)
        {
            throw new Hdf5Exception(at, $"version {version} of an attribute", "1 to 3");
        }

        var flags = cursor.Byte();
        var (nameSize, typeSize, spaceSize) = (cursor.Short(), cursor.Short(), cursor.Short());
        cursor.Skip(version == 3 ? 1 : 0);
        int Padded(int length) => version == 1 ? (length + 7) / 8 * 8 : length;
        var name = Text(cursor.Take(Padded(nameSize)));
        var type = cursor.At;
        cursor.Skip(Padded(typeSize) + Padded(spaceSize));
        if (version > 1 && (flags & 1) != 0)
        {
            throw new Hdf5Exception(at, $"an attribute '{name}' whose type lies elsewhere", "its type");
        }

        Values(Cursor(type), cursor.At, end, path, name);
    }

    private void Values(Hdf5Cursor type, long at, long end, string path, string name)
    {
        var kind = type.Byte() & 15;
        var bits = type.Byte();
        type.Skip(2);
        var size = type.Word();
        if (kind == FixedText && end > at)
        {
            Add(path, name, at, end - at);
        }
        else if (kind == Variable && (bits & 15) == 1 && size >= 8 + _layout.AddressSize)
        {
            for (; end - at >= size && _errors.Count < MaxErrors; at += size)
            {
                var cursor = Cursor(at);
                var length = cursor.Word();
                if (cursor.Address() is { } heap && length > 0)
                {
                    var (offset, taken) = HeapObject(heap, cursor.Word(), length);
                    Add(path, name, offset, taken);
                }
            }
        }
    }

    private void Add(string path, string name, long at, long length)
    {
        _text += Math.Clamp(length, 0, MaxText + 1L);
        if (_text > MaxText)
        {
            throw new Hdf5Exception(at, $"more than {MaxText} bytes of text", "fewer");
        }

        var bytes = Cursor(at).Take(length);

        // Only what can be a configuration is kept.
        if (bytes.TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[' or (byte)'"', ..])
        {
            _texts.Add(new(path, name, Encoding.UTF8.GetString(bytes.TrimEnd((byte)0)), at));
        }
    }

    private (long Offset, long Length) HeapObject(long heap, long index, long length)
    {
        var cursor = Cursor(heap);
        cursor.Signature("GCOL"u8);
        cursor.Version(1);
        cursor.Skip(3);
        var end = heap + cursor.Length();
        while (end - cursor.At >= 8 + _layout.LengthSize)
        {
            if (++_steps > MaxSteps)
            {
                throw new Hdf5Exception(heap, $"more than {MaxSteps} structures", "fewer");
            }

            var found = cursor.Short();
            cursor.Skip(6);
            var size = cursor.Length();
            if (found == index && found != 0)
            {
                return (cursor.At, Math.Min(size, length));
            }

            if (found == 0 || size < 0)
            {
                break;
            }

            cursor.Skip((size + 7) / 8 * 8);
        }

        throw new Hdf5Exception(heap, $"no text {index} in a heap", "the value of an attribute");
    }
}
