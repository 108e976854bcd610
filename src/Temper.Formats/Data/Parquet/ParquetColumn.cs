using Temper.Formats.Bytes;

namespace Temper.Formats.Data.Parquet;

/// <summary>One value of a column with the levels that say where it stands (Dremel).</summary>
internal readonly record struct ParquetCell(int Repetition, int Definition, ReadOnlyMemory<byte> Value);

/// <summary>Walks a column chunk row by row, a page at a time.</summary>
internal sealed class ParquetColumn
{
    private const int MostHeader = 1 << 16;
    private const int MaxCells = 1 << 20;
    private readonly ByteSource _source;
    private readonly ParquetBudget _budget;
    private readonly int _codec;
    private readonly long _end;
    private readonly long _promised;
    private long _seen;
    private long _at;
    private ParquetValues? _dictionary;
    private ParquetPage? _page;
    private int _held;

    public ParquetColumn(ParquetNode leaf, ByteSource source, ThriftStruct meta, ParquetBudget budget)
    {
        (Leaf, _source, _budget, _codec, _promised) = (leaf, source, budget, (int)(meta.Number(4) ?? 0), meta.Number(5) ?? 0);
        var data = meta.Number(9) ?? -1;
        _at = meta.Number(11) is { } dictionary and > 0 && dictionary < data ? dictionary : data;
        var length = meta.Number(7) ?? -1;
        if (_at < 4 || length < 0 || length > source.Length - _at)
        {
            throw new InvalidDataException($"column {leaf.Name}: found bytes {_at} to {_at}+{length}, expected a place in {source.Length} bytes");
        }

        _end = _at + length;
    }

    public ParquetNode Leaf { get; }

    /// <summary>The cells of the row at hand.</summary>
    public List<ParquetCell> Row { get; } = [];

    public bool HasRow => Row.Count > 0;

    public bool HasMore => Peek() is not null;

    public long At => _at;

    /// <summary>Goes to the next row; the bytes of its values.</summary>
    public long NextRow()
    {
        Row.Clear();
        var bytes = 0L;
        while (Peek() is { } page && (Row.Count == 0 || page.Repetition > 0))
        {
            if (Row.Count == MaxCells)
            {
                throw new InvalidDataException($"column {Leaf.Name}: found a row of more than {MaxCells} values");
            }

            var cell = page.Take();
            bytes += cell.Value.Length;
            Row.Add(cell);
        }

        return bytes;
    }

    private ParquetPage? Peek()
    {
        while (_page is null || _page.IsEmpty)
        {
            if (_at >= _end || _seen >= _promised)
            {
                return null;
            }

            _page = Page() ?? _page;
        }

        return _page;
    }

    // The next data page; null for another one, whose content was kept or passed over.
    private ParquetPage? Page()
    {
        var room = (int)Math.Min(MostHeader, _end - _at);
        var reader = new ThriftReader(_source.Span(_at, room));
        var header = reader.Struct();
        _at += reader.At;
        var (packed, size) = (header.Number(3) ?? -1, header.Number(2) ?? -1);
        if (packed < 0 || packed > _end - _at)
        {
            throw new InvalidDataException($"column {Leaf.Name}: found a page of {packed} bytes, {_end - _at} are left of its chunk");
        }

        var bytes = new byte[packed];
        _source.Read(_at, bytes);
        _at += packed;
        _budget.Take(size + packed - _held);
        _held = (int)(size + packed);
        switch (header.Number(1))
        {
            case 0 when header.Struct(5) is { } v1:
                return Count(new(Leaf, ParquetCodec.Unpack(_codec, bytes, size), v1, _dictionary, isV2: false));
            case 3 when header.Struct(8) is { } v2:
                return Count(new(Leaf, Second(bytes, size, v2), v2, _dictionary, isV2: true));
            case 2 when header.Struct(7) is { } dictionary:
                _dictionary = ParquetValues.Plain(Leaf, ParquetCodec.Unpack(_codec, bytes, size), (int)(dictionary.Number(1) ?? 0));
                _held = 0;
                return null;
            default:
                return null;
        }
    }

    private ParquetPage Count(ParquetPage page)
    {
        _seen += page.Count;
        return page;
    }

    // In the second version the levels lie before the values and are never packed.
    private byte[] Second(byte[] bytes, long size, ThriftStruct header)
    {
        var levels = (header.Number(5) ?? 0) + (header.Number(6) ?? 0);
        if (levels < 0 || levels > bytes.Length || levels > size)
        {
            throw new InvalidDataException($"column {Leaf.Name}: found levels of {levels} bytes in a page of {bytes.Length}");
        }

        return header.Number(7) == 0 ? bytes : [.. bytes[..(int)levels], .. ParquetCodec.Unpack(_codec, bytes[(int)levels..], size - levels)];
    }
}
