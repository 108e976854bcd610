using System.Text;
using Temper.Formats.Bytes;
using Temper.Formats.Containers;
using Temper.Formats.Json;

namespace Temper.Formats.Data;

/// <summary>How rows lie in a file.</summary>
public enum DataLayout { JsonLines, JsonArray, Table, Lines, Parquet }

/// <summary>Limits of reading rows.</summary>
public sealed record DataLimits
{
    /// <summary>Bytes of the longest row; a longer one is passed over and said.</summary>
    public int RowBytes { get; init; } = 16 << 20;

    /// <summary>How many times its packed size a stream may unpack to, once it is over <see cref="UnpackedBytes"/>.</summary>
    public int Ratio { get; init; } = 100;

    /// <summary>Up to this many bytes any ratio is fine.</summary>
    public long UnpackedBytes { get; init; } = 1L << 30;
}

/// <summary>A file of training rows, recognized by what stands in it, read as a stream as often as wanted.</summary>
public sealed class DataFile
{
    private const int HeadBytes = 1 << 16;
    private static readonly string[] s_columns = ["prompt", "completion", "instruction", "output", "question", "answer", "response", "text", "label", "goal", "target", "input", "query", "chosen", "rejected", "messages", "conversations", "en"];
    private readonly ByteSource _source;
    private readonly DataLimits _limits;
    private readonly DataStreams _streams;
    private readonly DataRows _rows;
    private readonly Parquet.ParquetFile? _parquet;
    private readonly bool _hasHeader;

    private DataFile(ByteSource source, DataLimits limits, DataStreams streams, DataLayout layout, char separator, IReadOnlyList<string> header, bool hasHeader, Parquet.ParquetFile? parquet)
    {
        (_source, _limits, _streams, Layout, _parquet, _hasHeader) = (source, limits, streams, layout, parquet, hasHeader);
        _rows = new(layout, separator, header);
    }

    public DataLayout Layout { get; }

    /// <summary>The compression around the file; null where there is none.</summary>
    public string? Compression => _streams.Compression;

    /// <summary>The encoding where it is not UTF-8.</summary>
    public string? Encoding => _streams.Encoding;

    /// <summary>What a Parquet file promises that its bytes do not keep.</summary>
    public IReadOnlyList<string> Lies => _parquet?.Lies ?? [];

    /// <summary>The first record of a table, which names its columns.</summary>
    public byte[]? Header { get; private init; }

    /// <summary>The file as rows; null where its content is no data set. <paramref name="anyText"/> takes lines of text for rows.</summary>
    public static DataFile? Open(ByteSource source, DataLimits? limits = null, bool anyText = false)
    {
        limits ??= new();
        if (source.Head(4).SequenceEqual("PAR1"u8))
        {
            return new(source, limits, new(source, limits), DataLayout.Parquet, '\0', [], hasHeader: false, Parquet.ParquetFile.Open(source, limits));
        }

        var streams = new DataStreams(source, limits);
        if (streams.Head(HeadBytes) is not { } head)
        {
            return null;
        }

        var text = head.AsSpan().TrimStart(" \t\r\n"u8);
        if (text.Length == 0)
        {
            return null;
        }

        if (text[0] is (byte)'{' or (byte)'[')
        {
            return Json(text) is { } layout ? new(source, limits, streams, layout, '\0', [], hasHeader: false, parquet: null) : null;
        }

        if (Table(text) is var (separator, header, record))
        {
            return new(source, limits, streams, DataLayout.Table, separator, header, hasHeader: true, parquet: null) { Header = record };
        }

        return anyText && text.IndexOfAnyInRange((byte)0, (byte)8) < 0 ? new(source, limits, streams, DataLayout.Lines, '\0', [], hasHeader: false, parquet: null) : null;
    }

    /// <summary>The rows from first to last.</summary>
    /// <exception cref="DataBombException">The stream unpacks to too much.</exception>
    /// <exception cref="InvalidDataException">The stream broke.</exception>
    public IEnumerable<RawRow> Raw(CancellationToken cancellation)
    {
        if (_parquet is not null)
        {
            foreach (var row in _parquet.Rows(cancellation))
            {
                yield return row;
            }

            yield break;
        }

        using var stream = _streams.Open();
        var buffer = new RowBuffer(stream, _limits.RowBytes);
        var rows = Layout switch
        {
            DataLayout.JsonArray => RowSplitter.Items(buffer, cancellation),
            DataLayout.Table => RowSplitter.Records(buffer, cancellation),
            _ => RowSplitter.Lines(buffer, cancellation),
        };
        foreach (var row in rows)
        {
            if (!_hasHeader)
            {
                yield return row;
            }
            else if (row.Number > 1)
            {
                yield return row with { Number = row.Number - 1 };
            }
        }
    }

    /// <summary>A row's texts and flaws; any number of threads at once.</summary>
    public DataRow Read(RawRow raw) => _rows.Read(raw);

    /// <summary>All rows, for callers that want no more than their text.</summary>
    public IEnumerable<DataRow> Read(CancellationToken cancellation) => Raw(cancellation).Select(Read);

    /// <summary>How much of the file's own bytes has been read, for progress.</summary>
    public long Position => _parquet?.Position ?? _streams.Position;

    /// <summary>The length of the file's own bytes.</summary>
    public long Length => _source.Length;

    // One array of rows, or rows line by line. What is a single object is a configuration.
    private static DataLayout? Json(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOf((byte)'\n');
        var isCut = text.Length >= HeadBytes - 4;
        if (end < 0 && isCut && text[0] == '{')
        {
            // One line longer than the head: taken for a row where it names what rows name.
            return NamesAColumn(text) ? DataLayout.JsonLines : null;
        }

        var line = end < 0 ? text : text[..end];
        if (Parse(line) is { } first && (text[0] == '{' || first.Items.All(i => i.Kind == JsonKind.Object)) && !(text[0] == '[' && end < 0))
        {
            var rest = end < 0 ? [] : text[(end + 1)..].TrimStart(" \t\r\n"u8);
            var isRow = IsRow(first);
            return rest.Length == 0 ? isRow && text[0] == '{' ? DataLayout.JsonLines : text[0] == '[' ? Array(text) : null
                : rest[0] is (byte)'{' or (byte)'[' && isRow ? DataLayout.JsonLines : text[0] == '[' ? Array(text) : null;
        }

        if (text[0] == '{' && end > 0 && !isCut && Parse(text) is not null)
        {
            return null;
        }

        return text[0] == '[' ? Array(text) : null;
    }

    // An array is a data set where its first item is a row.
    private static DataLayout? Array(ReadOnlySpan<byte> text)
    {
        using var stream = new MemoryStream(text.ToArray());
        var first = RowSplitter.Items(new(stream, text.Length), CancellationToken.None).FirstOrDefault();
        return first is null ? null
            : first.Flaw is not null ? text.Length >= HeadBytes - 4 && NamesAColumn(text) ? DataLayout.JsonArray : null
            : Parse(first.Bytes) is { } row && IsRow(row) ? DataLayout.JsonArray : null;
    }

    private static bool IsRow(JsonTree row)
    {
        var fields = new List<DataField>();
        return row.Kind is JsonKind.Object or JsonKind.Array && RowSchema.Fields(row, fields) != "unknown" && fields.Count > 0;
    }

    private static bool NamesAColumn(ReadOnlySpan<byte> text)
    {
        foreach (var column in s_columns)
        {
            if (text.IndexOf(System.Text.Encoding.ASCII.GetBytes($"\"{column}\"")) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    private static JsonTree? Parse(ReadOnlySpan<byte> text)
    {
        try
        {
            return JsonTreeReader.Read(text);
        }
        catch (JsonTreeException)
        {
            return null;
        }
    }

    private static (char Separator, List<string> Header, byte[] Record)? Table(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOf((byte)'\n');
        if (end <= 0 || end > 8192)
        {
            return null;
        }

        var record = text[..end].TrimEnd((byte)'\r').ToArray();
        var line = System.Text.Encoding.UTF8.GetString(record);
        foreach (var separator in ",\t;")
        {
            var header = CsvRecord.Cells(line, separator).ConvertAll(c => c.Trim().ToLowerInvariant());
            if (header.Count > 1 && header.Count(h => s_columns.Contains(h, StringComparer.Ordinal)) >= Math.Min(2, header.Count - 1) && header.TrueForAll(h => h.Length < 64))
            {
                return (separator, header, record);
            }
        }

        return null;
    }
}
