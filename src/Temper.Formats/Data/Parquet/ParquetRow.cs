using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Temper.Formats.Data.Parquet;

/// <summary>Puts the cells of one row together again and writes them as a line of JSON.</summary>
internal static class ParquetRow
{
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Json(ParquetNode schema, IReadOnlyList<ParquetColumn> columns)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, s_options))
        {
            var ranges = new Range[columns.Count];
            for (var i = 0; i < ranges.Length; i++)
            {
                ranges[i] = new(0, columns[i].Row.Count);
            }

            Group(json, schema, columns, ranges);
        }

        return stream.ToArray();
    }

    private static void Group(Utf8JsonWriter json, ParquetNode node, IReadOnlyList<ParquetColumn> columns, Range[] ranges)
    {
        json.WriteStartObject();
        foreach (var child in node.Children)
        {
            json.WritePropertyName(child.Name);
            Value(json, child, columns, ranges);
        }

        json.WriteEndObject();
    }

    private static void Value(Utf8JsonWriter json, ParquetNode node, IReadOnlyList<ParquetColumn> columns, Range[] ranges)
    {
        var (first, count) = node.Leaves;
        var definition = ranges[first].Start < ranges[first].End ? columns[first].Row[ranges[first].Start].Definition : 0;
        if (!node.IsRepeated)
        {
            Single(json, node, columns, ranges, definition);
            return;
        }

        json.WriteStartArray();
        if (definition >= node.Definition)
        {
            foreach (var part in Parts(node, columns, ranges, first, count))
            {
                // In a list of the standard layout the repeated group has one child, which is the item.
                if (node.Children is [{ } item] && node.Name is "list" or "bag" or "array")
                {
                    Value(json, item, columns, part);
                }
                else
                {
                    Single(json, node, columns, part, node.Definition);
                }
            }
        }

        json.WriteEndArray();
    }

    private static void Single(Utf8JsonWriter json, ParquetNode node, IReadOnlyList<ParquetColumn> columns, Range[] ranges, int definition)
    {
        if (definition < node.Definition)
        {
            json.WriteNullValue();
        }
        else if (node.Children.Count == 0)
        {
            Leaf(json, node, columns[node.Leaf].Row[ranges[node.Leaf].Start].Value.Span);
        }
        else if (node is { IsList: true, Children: [{ IsRepeated: true } list] })
        {
            Value(json, list, columns, ranges);
        }
        else
        {
            Group(json, node, columns, ranges);
        }
    }

    // A new item begins where the repetition level is that of the node.
    private static IEnumerable<Range[]> Parts(ParquetNode node, IReadOnlyList<ParquetColumn> columns, Range[] ranges, int first, int count)
    {
        var at = new int[count];
        for (var i = 0; i < count; i++)
        {
            at[i] = ranges[first + i].Start;
        }

        while (at[0] < ranges[first].End)
        {
            var part = (Range[])ranges.Clone();
            for (var i = 0; i < count; i++)
            {
                var (row, end) = (columns[first + i].Row, at[i]);
                while (end < ranges[first + i].End && (end == at[i] || row[end].Repetition > node.Repetition))
                {
                    end++;
                }

                if (end == at[i])
                {
                    throw new InvalidDataException($"column {columns[first + i].Leaf.Name}: found fewer items than its neighbors have");
                }

                part[first + i] = new(at[i], end);
                at[i] = end;
            }

            yield return part;
        }
    }

    private static void Leaf(Utf8JsonWriter json, ParquetNode node, ReadOnlySpan<byte> value)
    {
        if (node.Type is 1 or 2)
        {
            json.WriteRawValue(value);
        }
        else if (node.Type == 0)
        {
            json.WriteBooleanValue(value is [(byte)'1']);
        }
        else
        {
            json.WriteStringValue(Encoding.UTF8.GetString(value));
        }
    }

    private readonly record struct Range(int Start, int End);
}
