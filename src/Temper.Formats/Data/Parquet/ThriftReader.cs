using System.Text;

namespace Temper.Formats.Data.Parquet;

/// <summary>A struct of Thrift's compact protocol: numbers, bytes, lists and structs under field numbers.</summary>
internal sealed class ThriftStruct
{
    private readonly Dictionary<int, object> _fields = [];

    public void Set(int id, object value) => _fields[id] = value;

    public long? Number(int id) => _fields.GetValueOrDefault(id) as long?;

    public string Text(int id) => _fields.GetValueOrDefault(id) is byte[] bytes ? Encoding.UTF8.GetString(bytes) : "";

    public ThriftStruct? Struct(int id) => _fields.GetValueOrDefault(id) as ThriftStruct;

    public IEnumerable<ThriftStruct> Structs(int id) => (_fields.GetValueOrDefault(id) as List<object>)?.OfType<ThriftStruct>() ?? [];
}

/// <summary>Reads Thrift's compact protocol with every length checked against the bytes that are there.</summary>
internal ref struct ThriftReader(ReadOnlySpan<byte> data)
{
    private const int MaxDepth = 32;
    private const int MaxValues = 4_000_000;
    private readonly ReadOnlySpan<byte> _data = data;
    private int _values;

    /// <summary>How many bytes were read.</summary>
    public int At { get; private set; }

    public ThriftStruct Struct(int depth = 0)
    {
        if (depth > MaxDepth)
        {
            throw new InvalidDataException($"found structs nested deeper than {MaxDepth}");
        }

        var result = new ThriftStruct();
        var id = 0;
        while (true)
        {
            var head = Byte();
            if (head == 0)
            {
                return result;
            }

            var delta = head >> 4;
            id = delta == 0 ? (int)ZigZag() : id + delta;
            result.Set(id, Value(head & 15, depth, inList: false));
        }
    }

    private object Value(int type, int depth, bool inList)
    {
        if (++_values > MaxValues)
        {
            throw new InvalidDataException($"found more than {MaxValues} values in the metadata");
        }

        switch (type)
        {
            case 1 or 2:
                return inList ? Byte() == 1 ? 1L : 0L : type == 1 ? 1L : 0L;
            case 3:
                return (long)(sbyte)Byte();
            case 4 or 5 or 6:
                return ZigZag();
            case 7:
                return BitConverter.ToInt64(Bytes(8));
            case 8:
                return Bytes(Count()).ToArray();
            case 9 or 10:
                return Items(depth);
            case 11:
                return Map(depth);
            case 12:
                return Struct(depth + 1);
            default:
                throw new InvalidDataException($"found a value of type {type} at byte {At} of the metadata");
        }
    }

    private List<object> Items(int depth)
    {
        var head = Byte();
        var count = head >> 4 == 15 ? Count() : head >> 4;
        if (count > _data.Length - At)
        {
            throw new InvalidDataException($"found a list of {count} items in {_data.Length - At} bytes");
        }

        var items = new List<object>(Math.Min(count, 1024));
        for (var i = 0; i < count; i++)
        {
            items.Add(Value(head & 15, depth + 1, inList: true));
        }

        return items;
    }

    private object Map(int depth)
    {
        var count = Count();
        var types = count == 0 ? (byte)0 : Byte();
        for (var i = 0; i < count; i++)
        {
            _ = Value(types >> 4, depth + 1, inList: true);
            _ = Value(types & 15, depth + 1, inList: true);
        }

        return 0L;
    }

    private byte Byte() => At < _data.Length ? _data[At++] : throw new InvalidDataException("found the end inside the metadata");

    private ReadOnlySpan<byte> Bytes(int count)
    {
        if (count < 0 || count > _data.Length - At)
        {
            throw new InvalidDataException($"found {count} bytes promised and {_data.Length - At} there");
        }

        At += count;
        return _data.Slice(At - count, count);
    }

    private int Count() => Varint() is var n && n <= (ulong)_data.Length ? (int)n : throw new InvalidDataException($"found a length of {n} in {_data.Length} bytes");

    private long ZigZag() => Varint() is var n ? (long)(n >> 1) ^ -(long)(n & 1) : 0;

    private ulong Varint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var b = Byte();
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException("found a number of more than ten bytes");
    }
}
