using System.Buffers.Binary;
using System.Text;
using Temper.Formats.Bytes;

namespace Temper.Formats.Gguf;

/// <summary>Reads the header of a GGUF file of version 2 or 3 and checks everything that loaders have tripped over.</summary>
public sealed class GgufReader
{
    private const long MaxString = 1L << 30;
    private const long MaxItems = 1L << 30;
    private const int MaxKey = 65_535;
    private const int MaxEntries = 1_000_000;
    private const int MaxDefects = 50;
    private const int KeptText = 16 << 20;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);
    private readonly ByteSource _source;
    private readonly CancellationToken _cancellation;
    private readonly List<GgufValue> _values = [];
    private readonly List<GgufTensor> _tensors = [];
    private readonly List<GgufDefect> _defects = [];
    private long _at = 4;
    private long _dataStart;
    private bool _lost;

    private GgufReader(ByteSource source, CancellationToken cancellation) => (_source, _cancellation) = (source, cancellation);

    /// <summary>Whether the magic is there.</summary>
    public static bool Recognize(ReadOnlySpan<byte> head) => head.StartsWith("GGUF"u8);

    /// <summary>The header with its defects; reading stops where nothing after can be trusted.</summary>
    public static GgufFile Read(ByteSource source, CancellationToken cancellation)
    {
        var reader = new GgufReader(source, cancellation);
        var version = reader.Header();
        return new(version, reader._values, reader._tensors, reader._defects) { DataStart = reader._dataStart };
    }

    private int Header()
    {
        var version = (int)Number(4);
        if (!_lost && ((version & 0xFFFF) == 0 || version is < 2 or > 3))
        {
            Stop(4, "version", (version & 0xFFFF) == 0 ? $"{version:x8}, a file of the other byte order" : $"{version}", "2 or 3");
        }

        var tensors = Number(8);
        var values = Number(8);
        if (_lost || !Counts(tensors, 24, "number of tensors", 8) || !Counts(values, 13, "number of values", 16))
        {
            return version;
        }

        var keys = new HashSet<string>(StringComparer.Ordinal);
        for (long i = 0; i < values && !_lost; i++)
        {
            _cancellation.ThrowIfCancellationRequested();
            Value(keys);
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        for (long i = 0; i < tensors && !_lost; i++)
        {
            _cancellation.ThrowIfCancellationRequested();
            Tensor(names);
        }

        if (!_lost)
        {
            Data(Alignment());
        }

        return version;
    }

    private bool Counts(long count, int least, string place, long at)
    {
        if (count < 0 || count > MaxEntries || count > _source.Length / least)
        {
            Stop(at, place, $"{count}", $"at most {Math.Min(MaxEntries, _source.Length / least)}, what the file has room for");
            return false;
        }

        return true;
    }

    private void Value(HashSet<string> keys)
    {
        var start = _at;
        var key = String(MaxKey, "key", keep: true);
        if (_lost)
        {
            return;
        }

        if (key.Length == 0 || !keys.Add(key))
        {
            Add(start, "key", key.Length == 0 ? "an empty key" : $"'{Short(key)}' twice", "each key once, and not empty");
        }

        var place = $"'{Short(key)}'";
        var type = Number(4);
        if (type is < 0 or > (int)GgufType.Float64)
        {
            Stop(_at - 4, place, $"type {type}", "0 to 12");
            return;
        }

        if ((GgufType)type == GgufType.Array)
        {
            Array(key, place);
            return;
        }

        var at = _at;
        var (text, number) = Scalar((GgufType)type, place, keep: true);
        _values.Add(new(key, (GgufType)type, at, text, number, default, 0));
    }

    private void Array(string key, string place)
    {
        var type = Number(4);
        var count = Number(8);
        if (_lost || type is < 0 or > (int)GgufType.Float64 or (int)GgufType.Array || count is < 0 or > MaxItems)
        {
            Stop(_at - 12, place, $"an array of {count} items of type {type}", $"at most {MaxItems} items of a plain type");
            return;
        }

        var start = _at;
        var item = (GgufType)type;
        if (item is GgufType.String or GgufType.Bool)
        {
            for (long i = 0; i < count && !_lost; i++)
            {
                if ((i & 0xFFFF) == 0)
                {
                    _cancellation.ThrowIfCancellationRequested();
                }

                _ = Scalar(item, place, keep: false);
            }
        }
        else
        {
            Skip(count * Size(item), place);
        }

        _values.Add(new(key, GgufType.Array, start, "", 0, item, count));
    }

    private (string Text, long Number) Scalar(GgufType type, string place, bool keep)
    {
        switch (type)
        {
            case GgufType.String:
                return (String(MaxString, place, keep), 0);
            case GgufType.Bool:
                var value = Number(1);
                if (!_lost && value is not (0 or 1))
                {
                    Add(_at - 1, place, $"the truth value {value}", "0 or 1");
                }

                return ("", value);
            case GgufType.Float32 or GgufType.Float64:
                Skip(Size(type), place);
                return ("", 0);
            default:
                return ("", Number(Size(type)));
        }
    }

    private void Tensor(HashSet<string> names)
    {
        var start = _at;
        var name = String(MaxKey, "name of a tensor", keep: true);
        var place = $"tensor '{Short(name)}'";
        if (!_lost && (Encoding.UTF8.GetByteCount(name) >= 64 || !names.Add(name)))
        {
            Add(start, place, names.Contains(name) ? "the name twice" : $"a name of {name.Length} characters", "each name once, of fewer than 64 bytes");
        }

        var rank = Number(4);
        if (_lost || rank is < 0 or > 4)
        {
            Stop(_at - 4, place, $"{rank} dimensions", "0 to 4");
            return;
        }

        var shape = new long[rank];
        Int128 items = 1;
        for (var d = 0; d < rank; d++)
        {
            shape[d] = Number(8);
            items = shape[d] <= 0 || items > long.MaxValue ? -1 : items * shape[d];
        }

        var typeAt = _at;
        var type = (int)Number(4);
        var offset = Number(8);
        if (_lost)
        {
            return;
        }

        var (blockItems, blockBytes) = type is >= 0 and < GgufElement.Count ? GgufElement.Block(type) : (0, 0);
        if (blockItems == 0)
        {
            Add(typeAt, place, $"element type {type}", "one of ggml that still exists");
        }

        if (items <= 0 || items > long.MaxValue || (blockItems > 0 && items / blockItems * blockBytes > long.MaxValue))
        {
            Add(typeAt - (8 * rank), place, $"dimensions [{string.Join(", ", shape)}]", "positive ones whose product fits 63 bits");
            return;
        }

        if (blockItems > 0 && rank > 0 && shape[0] % blockItems != 0)
        {
            Add(typeAt, place, $"rows of {shape[0]} items", $"a multiple of the block of {blockItems}");
        }

        _tensors.Add(new(name, shape, type, offset, blockBytes > 0 ? (long)(items / blockItems * blockBytes) : null, start));
    }

    private long Alignment()
    {
        if (_values.Find(v => v.Key == "general.alignment") is not { } value)
        {
            return 32;
        }

        if (value.Type != GgufType.UInt32 || value.Integer <= 0 || (value.Integer & (value.Integer - 1)) != 0 || value.Integer > 1 << 20)
        {
            Stop(value.Offset, "general.alignment", $"{value.Integer} of type {value.Type}", "a power of two of type UInt32");
            return 0;
        }

        return value.Integer;
    }

    private void Data(long alignment)
    {
        if (_lost)
        {
            return;
        }

        var start = _dataStart = Padded(_at, alignment);
        long running = 0;
        foreach (var tensor in _tensors)
        {
            if (tensor.DataOffset != running)
            {
                Add(tensor.Offset, $"tensor '{Short(tensor.Name)}'", $"data at {tensor.DataOffset}", $"{running}, where the one before it ends");
            }

            if (tensor.Length is not { } length)
            {
                return;
            }

            if (tensor.DataOffset < 0 || start > _source.Length || length > _source.Length - start || tensor.DataOffset > _source.Length - start - length)
            {
                Add(tensor.Offset, $"tensor '{Short(tensor.Name)}'", $"{length} bytes at {tensor.DataOffset} of the data", $"an end within the {Math.Max(0, _source.Length - start)} bytes of data");
                return;
            }

            running = Padded(tensor.DataOffset + length, alignment);
        }

        if (_tensors.Count > 0 && _source.Length - start > running)
        {
            Add(start + running, "data", $"{_source.Length - start - running} bytes after the last tensor", "none");
        }
    }

    private static long Padded(long value, long alignment) => (value + alignment - 1) / alignment * alignment;

    private static int Size(GgufType type) => type switch
    {
        GgufType.UInt8 or GgufType.Int8 or GgufType.Bool => 1,
        GgufType.UInt16 or GgufType.Int16 => 2,
        GgufType.UInt32 or GgufType.Int32 or GgufType.Float32 => 4,
        _ => 8,
    };

    private string String(long most, string place, bool keep)
    {
        var length = Number(8);
        if (_lost || length < 0 || length > most || length > _source.Length - _at)
        {
            Stop(_at - 8, place, $"text of {length} bytes", $"at most {Math.Min(most, Math.Max(0, _source.Length - _at))}");
            return "";
        }

        var start = _at;
        _at += length;
        try
        {
            if (length > KeptText)
            {
                Validate(_source.Part(start, length));
                return "";
            }

            var bytes = _source.Span(start, (int)length);
            if (keep)
            {
                return Strict.GetString(bytes);
            }

            _ = Strict.GetCharCount(bytes);
            return "";
        }
        catch (DecoderFallbackException)
        {
            Add(start, place, "text that is no UTF-8", "UTF-8");
            return Encoding.UTF8.GetString(_source.Span(start, (int)Math.Min(length, 200)));
        }
    }

    // Longer than is kept: only whether it is text.
    private void Validate(ByteSource text)
    {
        var decoder = Strict.GetDecoder();
        var characters = new char[1 << 14];
        foreach (var chunk in text.Chunks(_cancellation))
        {
            for (var rest = chunk; !rest.IsEmpty;)
            {
                decoder.Convert(rest, characters, flush: false, out var used, out _, out _);
                rest = rest[used..];
            }
        }

        decoder.Convert([], characters, flush: true, out _, out _, out _);
    }

    private long Number(int size)
    {
        if (_lost || size > _source.Length - _at)
        {
            Stop(_at, "header", "the end of the file", "the rest of the header");
            return -1;
        }

        var bytes = _source.Span(_at, size);
        _at += size;
        return size switch
        {
            1 => bytes[0],
            2 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            4 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            _ => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        };
    }

    private void Skip(long count, string place)
    {
        if (_lost || count > _source.Length - _at)
        {
            Stop(_at, place, $"{count} bytes", $"at most {_source.Length - _at}");
            return;
        }

        _at += count;
    }

    private void Stop(long at, string place, string found, string expected)
    {
        if (!_lost)
        {
            Add(at, place, found, expected);
            _lost = true;
        }
    }

    private void Add(long at, string place, string found, string expected)
    {
        if (_defects.Count < MaxDefects)
        {
            _defects.Add(new(at, place, found, expected));
        }
    }

    private static string Short(string text) => text.Length > 80 ? text[..80] : text;
}
