using System.Text;

namespace Temper.Bench.Reports;

/// <summary>Markdown in which no foreign text becomes markup.</summary>
internal sealed class MarkdownText
{
    private readonly StringBuilder _text = new();

    /// <summary>Text of Temper's own, as it stands, and foreign text behind it.</summary>
    public MarkdownText Line(string line, string foreign = "")
    {
        _text.Append(line).Append(Escape(foreign)).Append('\n');
        return this;
    }

    public MarkdownText Safe(string? foreign)
    {
        _text.Append(Escape(foreign)).Append('\n');
        return this;
    }

    public MarkdownText Strong(string? foreign)
    {
        _text.Append("**").Append(Escape(foreign)).Append("**\n");
        return this;
    }

    public void Table(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows)
    {
        Row(header);
        _text.Append('|').Insert(_text.Length, "---|", header.Count).Append('\n');
        foreach (var row in rows)
        {
            Row(row);
        }
    }

    public override string ToString() => _text.ToString();

    private void Row(IReadOnlyList<string> fields) => _text.Append("| ").AppendJoin(" | ", fields.Select(Escape)).Append(" |\n");

    /// <summary>No foreign text may become a link, a picture, a tag or a new row.</summary>
    public static string Escape(string? foreign)
    {
        var text = new StringBuilder();
        foreach (var c in PageText.Visible(foreign))
        {
            _ = c switch
            {
                '\n' or '\t' => text.Append(' '),
                '\\' or '`' or '*' or '_' or '{' or '}' or '[' or ']' or '<' or '>' or '#' or '|' or '~' or '&' or '!' => text.Append('\\').Append(c),
                _ => text.Append(c),
            };
        }

        // GitHub turns bare addresses into links.
        return text.Replace("://", ":\\//").Replace("www.", "www\\.").ToString();
    }
}
