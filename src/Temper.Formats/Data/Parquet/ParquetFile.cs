using System.Buffers.Binary;
using Temper.Formats.Bytes;

namespace Temper.Formats.Data.Parquet;

/// <summary>
/// The rows of a Parquet file as lines of JSON. A reader of our own, since a page's size, a run's length and a column's count are promises of the file:
/// here each is held against the bytes before anything is allocated, and what is not kept is remembered.
/// </summary>
internal sealed class ParquetFile
{
    private const int MaxFooter = 64 << 20;
    private const int MaxLies = 20;

    // Runs let a few bytes stand for billions of empty rows.
    private const long MostRows = 1_000_000;
    private const long RowsPerByte = 64;
    private readonly ByteSource _source;
    private readonly DataLimits _limits;
    private readonly List<string> _lies = [];
    private readonly ParquetNode? _schema;
    private readonly ThriftStruct[] _groups = [];

    private ParquetFile(ByteSource source, DataLimits limits)
    {
        (_source, _limits) = (source, limits);
        try
        {
            var footer = Footer(source);
            _schema = ParquetNode.Read([.. footer.Structs(2)]);
            _groups = [.. footer.Structs(4)];
            var (rows, promised) = (_groups.Sum(g => (double)(g.Number(3) ?? 0)), footer.Number(3) ?? -1);
            if (rows != promised)
            {
                Lie($"{promised} rows in the file, {rows} in its row groups");
            }
        }
        catch (InvalidDataException e)
        {
            Lie(e.Message);
        }
    }

    /// <summary>What the file promises and does not keep.</summary>
    public IReadOnlyList<string> Lies => _lies;

    /// <summary>The last byte looked at.</summary>
    public long Position { get; private set; }

    public static ParquetFile Open(ByteSource source, DataLimits limits) => new(source, limits);

    public IEnumerable<RawRow> Rows(CancellationToken cancellation)
    {
        if (_schema is null)
        {
            throw new InvalidDataException(_lies[0]);
        }

        var number = 0L;
        for (var g = 0; g < _groups.Length; g++)
        {
            var group = _groups[g];
            var promised = Math.Max(0, group.Number(3) ?? 0);
            var columns = Columns(group, g);
            var count = 0L;
            while (count < promised)
            {
                cancellation.ThrowIfCancellationRequested();
                var texts = columns.Sum(c => c.NextRow());
                if (!columns.TrueForAll(c => c.HasRow))
                {
                    break;
                }

                count++;
                if (++number > MostRows + (_source.Length * RowsPerByte))
                {
                    throw new InvalidDataException($"found more than {number - 1} rows in {_source.Length} bytes");
                }

                Position = Math.Max(Position, columns[0].At);
                yield return texts > _limits.RowBytes
                    ? new(number, number, [], new(DataFlaw.TooLong, "", $"{texts} bytes"))
                    : new(number, number, ParquetRow.Json(_schema, columns));
            }

            if (count < promised || columns.Exists(c => c.HasMore))
            {
                Lie($"row group {g}: {promised} rows promised, {(count < promised ? count.ToString(System.Globalization.CultureInfo.InvariantCulture) : "more")} found");
            }
        }
    }

    private List<ParquetColumn> Columns(ThriftStruct group, int g)
    {
        var (leaves, chunks) = (_schema!.AllLeaves().ToArray(), group.Structs(1).ToArray());
        if (leaves.Length != chunks.Length)
        {
            throw new InvalidDataException($"row group {g}: found {chunks.Length} columns, expected the {leaves.Length} of the schema");
        }

        var budget = new ParquetBudget();
        return [.. leaves.Select((leaf, i) => new ParquetColumn(leaf, _source, chunks[i].Struct(3) ?? throw new InvalidDataException($"row group {g}: found no metadata of column {leaf.Name}"), budget))];
    }

    private static ThriftStruct Footer(ByteSource source)
    {
        var tail = source.Length >= 12 ? source.Tail(8) : throw new InvalidDataException($"found {source.Length} bytes, expected at least 12");
        var length = BinaryPrimitives.ReadInt32LittleEndian(tail);
        if (!tail[4..].SequenceEqual("PAR1"u8))
        {
            throw new InvalidDataException("found no PAR1 at the end: the file is cut or encrypted");
        }

        return length > 0 && length <= Math.Min(MaxFooter, source.Length - 12)
            ? new ThriftReader(source.Span(source.Length - 8 - length, length)).Struct()
            : throw new InvalidDataException($"found a footer of {length} bytes in a file of {source.Length}");
    }

    private void Lie(string what)
    {
        if (_lies.Count < MaxLies && !_lies.Contains(what, StringComparer.Ordinal))
        {
            _lies.Add(what);
        }
    }
}

/// <summary>What all pages that are held at once may take together.</summary>
internal sealed class ParquetBudget
{
    private const long Most = 512L << 20;
    private long _used;

    public void Take(long bytes)
    {
        _used += bytes;
        if (_used > Most)
        {
            throw new InvalidDataException($"found pages of more than {Most} bytes that must be held at once");
        }
    }
}
