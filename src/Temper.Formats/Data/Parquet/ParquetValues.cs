using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Temper.Formats.Data.Parquet;

/// <summary>The values of a page in one of the format's encodings, as text: strings as they are, numbers in digits.</summary>
internal abstract class ParquetValues
{
    public abstract ReadOnlyMemory<byte> Next();

    public static ParquetValues Of(ParquetNode leaf, int encoding, ReadOnlyMemory<byte> data, int count, ParquetValues? dictionary) => encoding switch
    {
        0 => new PlainValues(leaf, data),
        2 or 8 => new Indexed(dictionary as PlainValues ?? throw new InvalidDataException($"column {leaf.Name}: found no dictionary"), data),
        3 when leaf.Type == 0 => new Flags(data),
        5 => new Numbers(data),
        6 => new Lengths(data, count),
        7 => new Prefixes(data, count),
        _ => throw new InvalidDataException($"column {leaf.Name}: found encoding {encoding}, which is not read"),
    };

    public static ParquetValues Plain(ParquetNode leaf, ReadOnlyMemory<byte> data, int count) => new PlainValues(leaf, data, count);

    private sealed class PlainValues : ParquetValues
    {
        private readonly ParquetNode _leaf;
        private readonly ReadOnlyMemory<byte> _data;
        private readonly List<ReadOnlyMemory<byte>> _all = [];
        private int _at;
        private long _bit;

        public PlainValues(ParquetNode leaf, ReadOnlyMemory<byte> data, int count = 0)
        {
            (_leaf, _data) = (leaf, data);
            if (count < 0 || count > data.Length * 8L)
            {
                throw new InvalidDataException($"column {leaf.Name}: found a dictionary of {count} values in {data.Length} bytes");
            }

            for (var i = 0; i < count; i++)
            {
                _all.Add(Next());
            }
        }

        public ReadOnlyMemory<byte> this[int index] => (uint)index < (uint)_all.Count ? _all[index] : throw new InvalidDataException($"column {_leaf.Name}: found index {index} into a dictionary of {_all.Count}");

        public override ReadOnlyMemory<byte> Next() => _leaf.Type switch
        {
            0 => Digits(Bit()),
            1 => Digits(BinaryPrimitives.ReadInt32LittleEndian(Take(4).Span)),
            2 => Digits(BinaryPrimitives.ReadInt64LittleEndian(Take(8).Span)),
            3 => Digits(BinaryPrimitives.ReadInt64LittleEndian(Take(12).Span)),
            4 => Digits(BinaryPrimitives.ReadSingleLittleEndian(Take(4).Span)),
            5 => Digits(BinaryPrimitives.ReadDoubleLittleEndian(Take(8).Span)),
            6 => Take(BinaryPrimitives.ReadInt32LittleEndian(Take(4).Span)),
            7 => Take(_leaf.TypeLength),
            _ => throw new InvalidDataException($"column {_leaf.Name}: found type {_leaf.Type}"),
        };

        private int Bit()
        {
            if (_bit / 8 >= _data.Length)
            {
                throw new InvalidDataException($"column {_leaf.Name}: found fewer values than promised");
            }

            return (_data.Span[(int)(_bit >> 3)] >> (int)(_bit++ & 7)) & 1;
        }

        private ReadOnlyMemory<byte> Take(int length)
        {
            if (length < 0 || length > _data.Length - _at)
            {
                throw new InvalidDataException($"column {_leaf.Name}: found a value of {length} bytes, {_data.Length - _at} are left of its page");
            }

            _at += length;
            return _data.Slice(_at - length, length);
        }
    }

    private sealed class Indexed(PlainValues dictionary, ReadOnlyMemory<byte> data) : ParquetValues
    {
        private readonly ParquetRuns? _indexes = data.Length > 0 && data.Span[0] is > 0 and <= 32 and var width ? new(data[1..], width) : null;

        public override ReadOnlyMemory<byte> Next() => dictionary[_indexes?.Next() ?? 0];
    }

    private sealed class Flags(ReadOnlyMemory<byte> data) : ParquetValues
    {
        private readonly ParquetRuns _runs = new(data.Length >= 4 ? data[4..] : throw new InvalidDataException("found no values"), 1);

        public override ReadOnlyMemory<byte> Next() => Digits(_runs.Next());
    }

    private sealed class Numbers(ReadOnlyMemory<byte> data) : ParquetValues
    {
        private readonly ParquetDeltas _deltas = new(data);

        public override ReadOnlyMemory<byte> Next() => Digits(_deltas.Next());
    }

    private sealed class Lengths : ParquetValues
    {
        private readonly Queue<int> _lengths = new();
        private ReadOnlyMemory<byte> _rest;

        public Lengths(ReadOnlyMemory<byte> data, int count)
        {
            var deltas = new ParquetDeltas(data);
            for (var i = 0; i < Math.Min(count, deltas.Count); i++)
            {
                _lengths.Enqueue((int)Math.Clamp(deltas.Next(), -1, int.MaxValue));
            }

            _rest = data[deltas.End()..];
        }

        public override ReadOnlyMemory<byte> Next()
        {
            if (!_lengths.TryDequeue(out var length) || length < 0 || length > _rest.Length)
            {
                throw new InvalidDataException("found a text longer than its page");
            }

            var text = _rest[..length];
            _rest = _rest[length..];
            return text;
        }
    }

    private sealed class Prefixes : ParquetValues
    {
        private readonly Queue<int> _prefixes = new();
        private readonly Lengths _suffixes;
        private ReadOnlyMemory<byte> _last;

        public Prefixes(ReadOnlyMemory<byte> data, int count)
        {
            var deltas = new ParquetDeltas(data);
            for (var i = 0; i < Math.Min(count, deltas.Count); i++)
            {
                _prefixes.Enqueue((int)Math.Clamp(deltas.Next(), -1, int.MaxValue));
            }

            _suffixes = new(data[deltas.End()..], count);
        }

        public override ReadOnlyMemory<byte> Next()
        {
            const int Longest = 16 << 20;
            var suffix = _suffixes.Next();
            if (!_prefixes.TryDequeue(out var prefix) || prefix < 0 || prefix > _last.Length || prefix + suffix.Length > Longest)
            {
                throw new InvalidDataException("found a prefix longer than the text before it");
            }

            return _last = (byte[])[.. _last.Span[..prefix], .. suffix.Span];
        }
    }

    private static ReadOnlyMemory<byte> Digits<T>(T value)
        where T : IFormattable => Encoding.UTF8.GetBytes(value.ToString(null, CultureInfo.InvariantCulture));
}

/// <summary>Integers as differences in packed blocks (DELTA_BINARY_PACKED).</summary>
internal sealed class ParquetDeltas
{
    private readonly ReadOnlyMemory<byte> _data;
    private readonly int _perMini;
    private readonly int _minis;
    private long _value;
    private long _least;
    private long _read;
    private int _at;
    private int _mini;
    private int _inMini;
    private byte[] _widths = [];

    public ParquetDeltas(ReadOnlyMemory<byte> data)
    {
        _data = data;
        var block = Varint();
        _minis = (int)Math.Min(Varint(), 1 << 16);
        Count = (int)Math.Min(Varint(), int.MaxValue);
        _value = ZigZag();
        if (_minis == 0 || block % (ulong)_minis != 0 || block / (ulong)_minis is 0 or > 1 << 16)
        {
            throw new InvalidDataException($"found blocks of {block} in {_minis} parts");
        }

        _perMini = (int)(block / (ulong)_minis);
        _mini = _minis;
    }

    public int Count { get; }

    public long Next()
    {
        if (_read++ == 0)
        {
            return _value;
        }

        if (_mini == _minis)
        {
            _least = ZigZag();
            _widths = Cut(_minis).ToArray();
            (_mini, _inMini) = (0, 0);
        }

        var delta = 0UL;
        var (width, bit) = (Math.Min((int)_widths[_mini], 64), (long)_inMini * Math.Min((int)_widths[_mini], 64));
        for (var i = 0; i < width; i++, bit++)
        {
            var place = _at + (bit >> 3);
            delta |= place < _data.Length ? (ulong)((_data.Span[(int)place] >> (int)(bit & 7)) & 1) << i : throw new InvalidDataException("found fewer values than promised");
        }

        if (++_inMini == _perMini)
        {
            _at += _perMini * width / 8;
            (_mini, _inMini) = (_mini + 1, 0);
        }

        return _value += _least + (long)delta;
    }

    /// <summary>Where the values end, when all were taken.</summary>
    public int End() => _inMini > 0 ? Math.Min(_data.Length, _at + _perMini * Math.Min((int)_widths[_mini], 64) / 8) : Math.Min(_data.Length, _at);

    private ReadOnlySpan<byte> Cut(int count)
    {
        _at += count;
        return _at <= _data.Length ? _data.Span.Slice(_at - count, count) : throw new InvalidDataException("found the end inside a block");
    }

    private long ZigZag() => Varint() is var n ? (long)(n >> 1) ^ -(long)(n & 1) : 0;

    private ulong Varint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var b = _at < _data.Length ? _data.Span[_at++] : throw new InvalidDataException("found the end inside a number");
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException("found a number of more than ten bytes");
    }
}
