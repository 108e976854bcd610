using System.Buffers.Binary;

namespace Temper.Formats.Data.Parquet;

/// <summary>The values of a data page, taken one after the other.</summary>
internal sealed class ParquetPage
{
    private readonly ParquetNode _leaf;
    private readonly ParquetRuns? _repetitions;
    private readonly ParquetRuns? _definitions;
    private readonly ParquetValues _values;
    private int _left;

    public ParquetPage(ParquetNode leaf, byte[] data, ThriftStruct header, ParquetValues? dictionary, bool isV2)
    {
        _leaf = leaf;
        _left = Count = (int)Math.Clamp(header.Number(1) ?? 0, 0, int.MaxValue);
        var rest = new ReadOnlyMemory<byte>(data);
        if (isV2)
        {
            _repetitions = Levels(leaf.Repetition, Cut(ref rest, header.Number(6) ?? 0));
            _definitions = Levels(leaf.Definition, Cut(ref rest, header.Number(5) ?? 0));
        }
        else
        {
            _repetitions = leaf.Repetition > 0 ? Levels(leaf.Repetition, Sized(ref rest)) : null;
            _definitions = leaf.Definition > 0 ? Levels(leaf.Definition, Sized(ref rest)) : null;
        }

        _values = ParquetValues.Of(leaf, (int)(header.Number(isV2 ? 4 : 2) ?? 0), rest, Count, dictionary);
        Next();
    }

    public int Count { get; }

    public bool IsEmpty => _left == 0;

    /// <summary>The repetition level of the next value.</summary>
    public int Repetition { get; private set; }

    public ParquetCell Take()
    {
        var definition = _definitions?.Next() ?? _leaf.Definition;
        var cell = new ParquetCell(Repetition, definition, definition == _leaf.Definition ? _values.Next() : default);
        _left--;
        Next();
        return cell;
    }

    private void Next() => Repetition = _left > 0 ? _repetitions?.Next() ?? 0 : 0;

    private static ParquetRuns? Levels(int most, ReadOnlyMemory<byte> data) => most == 0 ? null : new(data, 32 - int.LeadingZeroCount(most));

    private static ReadOnlyMemory<byte> Sized(ref ReadOnlyMemory<byte> rest)
    {
        var length = rest.Length >= 4 ? BinaryPrimitives.ReadInt32LittleEndian(rest.Span) : throw new InvalidDataException("found no levels in a page");
        rest = rest[4..];
        return Cut(ref rest, length);
    }

    private static ReadOnlyMemory<byte> Cut(ref ReadOnlyMemory<byte> rest, long length)
    {
        if (length < 0 || length > rest.Length)
        {
            throw new InvalidDataException($"found levels of {length} bytes in {rest.Length}");
        }

        var cut = rest[..(int)length];
        rest = rest[(int)length..];
        return cut;
    }
}

/// <summary>Numbers in runs and in packed groups of eight (the RLE/bit-packing hybrid).</summary>
internal sealed class ParquetRuns(ReadOnlyMemory<byte> data, int width)
{
    private int _at;
    private long _left;
    private bool _isRun;
    private int _value;
    private long _bit;

    public int Next()
    {
        while (_left == 0)
        {
            Head();
        }

        _left--;
        return _isRun ? _value : Packed();
    }

    private void Head()
    {
        var head = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            if (_at >= data.Length || shift > 35)
            {
                throw new InvalidDataException("found fewer levels or indexes than values");
            }

            var b = data.Span[_at++];
            head |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                break;
            }
        }

        _isRun = (head & 1) == 0;
        var bytes = _isRun ? (width + 7) / 8 : (long)(head >> 1) * width;
        if (bytes > data.Length - _at)
        {
            throw new InvalidDataException("found a run longer than its page");
        }

        _left = _isRun ? (long)(head >> 1) : (long)(head >> 1) * 8;
        if (_isRun)
        {
            _value = 0;
            for (var i = 0; i < bytes; i++)
            {
                _value |= data.Span[_at + i] << (8 * i);
            }
        }
        else
        {
            _bit = _at * 8L;
        }

        _at += (int)bytes;
    }

    private int Packed()
    {
        var value = 0;
        for (var i = 0; i < width; i++, _bit++)
        {
            value |= ((data.Span[(int)(_bit >> 3)] >> (int)(_bit & 7)) & 1) << i;
        }

        return value;
    }
}
