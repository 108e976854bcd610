using System.Text;
using Temper.Formats.Json;

namespace Temper.Formats.Data;

/// <summary>Reads the text and the flaws of rows; any number of threads at once.</summary>
internal sealed class DataRows(DataLayout layout, char separator, IReadOnlyList<string> header)
{
    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public DataRow Read(RawRow raw)
    {
        var (fields, flaws) = (new List<DataField>(4), new List<DataRowFlaw>(0));
        var schema = "unknown";
        if (raw.Flaw is { } flaw)
        {
            flaws.Add(flaw);
        }
        else
        {
            Bytes(raw.Bytes, flaws);
            schema = layout switch
            {
                DataLayout.Lines => Line(raw.Bytes, fields),
                DataLayout.Table => Record(raw.Bytes, fields, flaws),
                _ => Json(raw.Bytes, fields, flaws),
            };
        }

        return new(raw.Number, raw.Offset, schema, fields, flaws) { Length = raw.Bytes.Length };
    }

    private static void Bytes(ReadOnlySpan<byte> bytes, List<DataRowFlaw> flaws)
    {
        if (bytes.Contains((byte)0))
        {
            flaws.Add(new(DataFlaw.Nul, "", $"NUL at byte {bytes.IndexOf((byte)0)} of the row"));
        }

        if (!System.Text.Unicode.Utf8.IsValid(bytes))
        {
            flaws.Add(new(DataFlaw.BadUtf8, "", Invalid(bytes)));
        }
    }

    private static string Invalid(ReadOnlySpan<byte> bytes)
    {
        try
        {
            s_strict.GetCharCount(bytes);
            return "";
        }
        catch (DecoderFallbackException e)
        {
            return $"{Convert.ToHexStringLower(e.BytesUnknown ?? [])} at byte {e.Index} of the row";
        }
    }

    private static string Line(byte[] bytes, List<DataField> fields)
    {
        fields.Add(new(DataRole.Text, "", Encoding.UTF8.GetString(bytes)));
        return "text";
    }

    private static string Json(byte[] bytes, List<DataField> fields, List<DataRowFlaw> flaws)
    {
        JsonTree tree;
        try
        {
            tree = JsonTreeReader.Read(bytes);
        }
        catch (JsonTreeException e)
        {
            flaws.Add(new(DataFlaw.Broken, "", e.Message));
            return "unknown";
        }

        Flaws(tree, "", 0, flaws);
        return RowSchema.Fields(tree, fields);
    }

    private static void Flaws(JsonTree tree, string name, int depth, List<DataRowFlaw> flaws)
    {
        const int Most = 20;
        if (tree.Kind == JsonKind.Number && tree.Text[^1] is 'N' or 'y')
        {
            flaws.Add(new(DataFlaw.NotANumber, name, tree.Text));
        }
        else if (tree.Kind == JsonKind.String)
        {
            Text(tree.Text, name, flaws);
        }

        if (tree.Members.Count == 0 || flaws.Count >= Most)
        {
            return;
        }

        if (tree.Kind == JsonKind.Object && Doubled(tree) is { } doubled)
        {
            flaws.Add(new(DataFlaw.DuplicateKey, Path(name, doubled), doubled));
        }

        for (var i = 0; i < tree.Members.Count && flaws.Count < Most; i++)
        {
            var (key, value) = tree.Members[i];
            if (value.Kind == JsonKind.String && value.Text.AsSpan().IndexOfAnyInRange('\ud800', '\udfff') < 0 && !value.Text.Contains('\0', StringComparison.Ordinal))
            {
                continue;
            }

            if (value.Kind is JsonKind.String or JsonKind.Number or JsonKind.Object or JsonKind.Array)
            {
                Flaws(value, tree.Kind == JsonKind.Array ? $"{name}[{i}]" : Path(name, key), depth + 1, flaws);
            }
        }
    }

    private static string Path(string name, string key) => name.Length == 0 ? key : $"{name}.{key}";

    private static string? Doubled(JsonTree tree)
    {
        const int Few = 8;
        if (tree.Members.Count > Few)
        {
            return tree.Duplicates().FirstOrDefault();
        }

        for (var i = 1; i < tree.Members.Count; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (tree.Members[i].Key == tree.Members[j].Key)
                {
                    return tree.Members[i].Key;
                }
            }
        }

        return null;
    }

    private static void Text(string text, string name, List<DataRowFlaw> flaws)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            flaws.Add(new(DataFlaw.Nul, name, "an escaped NUL"));
        }

        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(text[i]))
            {
                flaws.Add(new(DataFlaw.LoneSurrogate, name, $"U+{(int)text[i]:X4}"));
                return;
            }
        }
    }

    private string Record(byte[] bytes, List<DataField> fields, List<DataRowFlaw> flaws)
    {
        var cells = CsvRecord.Cells(Encoding.UTF8.GetString(bytes), separator);
        if (cells.Count != header.Count)
        {
            flaws.Add(new(DataFlaw.Columns, "", $"{cells.Count} columns, expected {header.Count}"));
        }

        var members = new List<KeyValuePair<string, JsonTree>>(cells.Count);
        for (var i = 0; i < Math.Min(cells.Count, header.Count); i++)
        {
            members.Add(new(header[i], new(JsonKind.String, cells[i], 0, [])));
        }

        return RowSchema.Fields(new(JsonKind.Object, "", 0, members), fields);
    }
}
