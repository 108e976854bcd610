using System.Text;

namespace Temper.Formats.Data;

/// <summary>One record of a table of values (RFC 4180).</summary>
internal static class CsvRecord
{
    /// <summary>The most columns that are read; a line of commas is no table.</summary>
    public const int MaxColumns = 4096;

    public static List<string> Cells(string record, char separator)
    {
        var cells = new List<string>();
        var at = 0;
        while (cells.Count < MaxColumns)
        {
            if (at < record.Length && record[at] == '"')
            {
                cells.Add(Quoted(record, ref at, separator));
            }
            else
            {
                var end = record.IndexOf(separator, at);
                cells.Add(record[at..(end < 0 ? record.Length : end)]);
                at = end < 0 ? record.Length : end;
            }

            if (at >= record.Length)
            {
                return cells;
            }

            at++;
        }

        return cells;
    }

    private static string Quoted(string record, ref int at, char separator)
    {
        var text = new StringBuilder();
        at++;
        while (at < record.Length)
        {
            var quote = record.IndexOf('"', at);
            if (quote < 0)
            {
                text.Append(record, at, record.Length - at);
                at = record.Length;
                break;
            }

            text.Append(record, at, quote - at);
            at = quote + 1;
            if (at < record.Length && record[at] == '"')
            {
                text.Append('"');
                at++;
            }
            else
            {
                // What stands between the closing quote and the next separator belongs to the cell, as most readers have it.
                var end = record.IndexOf(separator, at);
                text.Append(record, at, (end < 0 ? record.Length : end) - at);
                at = end < 0 ? record.Length : end;
                break;
            }
        }

        return text.ToString();
    }
}
