using System.Globalization;
using System.Text;

namespace Temper.Formats.Templates;

internal enum JinjaToken { Text, OutputStart, OutputEnd, TagStart, TagEnd, Name, String, Number, Operator, End }

internal readonly record struct JinjaLexeme(JinjaToken Kind, string Text, int Offset);

/// <summary>Splits a template into text and the tokens of its tags.</summary>
/// <param name="rendering">Whether white space around tags goes as Hugging Face renders (trim_blocks, lstrip_blocks, and the signs of tags); else text stays as it stands.</param>
internal sealed class JinjaLexer(string source, bool rendering = false)
{
    private static readonly string[] Operators =
        ["**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|", ";"];

    private readonly List<JinjaLexeme> _tokens = [];
    private int _at;

    public List<JinjaLexeme> Read()
    {
        while (_at < source.Length)
        {
            var open = NextTag();
            if (open < 0)
            {
                Add(JinjaToken.Text, source[_at..], _at);
                break;
            }

            var text = TextBefore(_at, open);
            if (text.Length > 0)
            {
                Add(JinjaToken.Text, text, _at);
            }

            _at = open;
            Tag();
        }

        Add(JinjaToken.End, "", source.Length);
        return _tokens;
    }

    private int NextTag()
    {
        for (var i = source.IndexOf('{', _at); i >= 0 && i + 1 < source.Length; i = source.IndexOf('{', i + 1))
        {
            if (source[i + 1] is '{' or '%' or '#')
            {
                return i;
            }
        }

        return -1;
    }

    private string TextBefore(int start, int open)
    {
        var text = source[start..open];
        var sign = open + 2 < source.Length ? source[open + 2] : ' ';
        if (!rendering || sign == '+' || (sign != '-' && source[open + 1] == '{'))
        {
            return text;
        }

        if (sign == '-')
        {
            return text.TrimEnd();
        }

        // lstrip_blocks: blanks between the beginning of a line and a tag
        var line = text.LastIndexOf('\n') + 1;
        var begins = line > 0 || start == 0 || source[start - 1] == '\n';
        return begins && text.AsSpan(line).Trim(" \t").IsEmpty ? text[..line] : text;
    }

    /// <summary>Skips what the end of a tag takes with it; <see cref="_at"/> is behind the tag.</summary>
    private void Behind(char sign, bool isBlock)
    {
        if (!rendering || sign == '+')
        {
            return;
        }

        if (sign == '-')
        {
            while (_at < source.Length && char.IsWhiteSpace(source[_at]))
            {
                _at++;
            }
        }
        else if (isBlock && _at < source.Length && source[_at] == '\n')
        {
            _at++; // trim_blocks
        }
    }

    private void Tag()
    {
        var start = _at;
        var kind = source[_at + 1];
        if (kind == '#')
        {
            var close = source.IndexOf("#}", _at + 2, StringComparison.Ordinal);
            _at = close < 0 ? throw new JinjaException(start, "a comment without end", "'#}'") : close + 2;
            Behind(source[close - 1], isBlock: true);
            return;
        }

        if (kind == '%' && Raw(start))
        {
            return;
        }

        Add(kind == '{' ? JinjaToken.OutputStart : JinjaToken.TagStart, "", start);
        _at += 2;
        if (_at < source.Length && source[_at] is '-' or '+')
        {
            _at++;
        }

        Inside(start, kind == '{' ? "}}" : "%}", kind == '{' ? JinjaToken.OutputEnd : JinjaToken.TagEnd);
    }

    private bool Raw(int start)
    {
        var rest = source.AsSpan(start + 2);
        var word = rest.TrimStart("-+ \t\r\n");
        if (!word.StartsWith("raw") || word.Length < 4 || word[3] is not (' ' or '-' or '+' or '%' or '\n' or '\t' or '\r'))
        {
            return false;
        }

        var from = source.IndexOf("%}", start, StringComparison.Ordinal);
        for (var end = from < 0 ? -1 : source.IndexOf("{%", from, StringComparison.Ordinal); end >= 0; end = source.IndexOf("{%", end + 2, StringComparison.Ordinal))
        {
            if (source.AsSpan(end + 2).TrimStart("-+ \t\r\n").StartsWith("endraw"))
            {
                _at = from + 2;
                Behind(source[from - 1], isBlock: true);
                Add(JinjaToken.Text, TextBefore(Math.Min(_at, end), end), from + 2);
                var close = source.IndexOf("%}", end, StringComparison.Ordinal);
                _at = close < 0 ? throw new JinjaException(end, "a tag without end", "'%}'") : close + 2;
                Behind(source[close - 1], isBlock: true);
                return true;
            }
        }

        throw new JinjaException(start, "raw without end", "'{% endraw %}'");
    }

    private void Inside(int start, string close, JinjaToken end)
    {
        var depth = 0;
        while (true)
        {
            while (_at < source.Length && char.IsWhiteSpace(source[_at]))
            {
                _at++;
            }

            if (_at >= source.Length)
            {
                throw new JinjaException(start, "a tag without end", $"'{close}'");
            }

            if (depth == 0 && Closes(close) is > 0 and var length)
            {
                Add(end, "", _at);
                var sign = length == 3 ? source[_at] : ' ';
                _at += length;
                Behind(sign, end == JinjaToken.TagEnd);
                return;
            }

            depth += source[_at] switch { '(' or '[' or '{' => 1, ')' or ']' or '}' => -1, _ => 0 };
            Token();
        }
    }

    private int Closes(string close)
    {
        if (string.CompareOrdinal(source, _at, close, 0, 2) == 0)
        {
            return 2;
        }

        return source[_at] is '-' or '+' && string.CompareOrdinal(source, _at + 1, close, 0, 2) == 0 ? 3 : 0;
    }

    private void Token()
    {
        var start = _at;
        var c = source[_at];
        if (c is '\'' or '"')
        {
            Add(JinjaToken.String, Quoted(c), start);
        }
        else if (char.IsLetter(c) || c == '_')
        {
            while (_at < source.Length && (char.IsLetterOrDigit(source[_at]) || source[_at] == '_'))
            {
                _at++;
            }

            Add(JinjaToken.Name, source[start.._at], start);
        }
        else if (char.IsAsciiDigit(c))
        {
            while (_at < source.Length && (char.IsAsciiLetterOrDigit(source[_at]) || source[_at] == '_' || (source[_at] == '.' && _at + 1 < source.Length && char.IsAsciiDigit(source[_at + 1]))))
            {
                _at++;
            }

            Add(JinjaToken.Number, source[start.._at], start);
        }
        else
        {
            var found = Array.Find(Operators, o => string.CompareOrdinal(source, start, o, 0, o.Length) == 0)
                ?? throw new JinjaException(start, $"the character U+{(int)c:X4}", "an expression");
            _at += found.Length;
            Add(JinjaToken.Operator, found, start);
        }
    }

    // Python's escapes: hiding a name behind \x5f is as old as template injection.
    private string Quoted(char quote)
    {
        var start = _at++;
        var text = new StringBuilder();
        while (_at < source.Length && source[_at] != quote)
        {
            var c = source[_at++];
            if (c != '\\' || _at >= source.Length)
            {
                text.Append(c);
                continue;
            }

            var next = source[_at++];
            var digits = next switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
            if (digits > 0 && _at + digits <= source.Length && int.TryParse(source.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
                && code is >= 0 and <= 0x10FFFF)
            {
                _ = code > 0xFFFF ? text.Append(char.ConvertFromUtf32(code)) : text.Append((char)code);
                _at += digits;
            }
            else if (next is >= '0' and <= '7')
            {
                var value = next - '0';
                for (var n = 1; n < 3 && _at < source.Length && source[_at] is >= '0' and <= '7'; n++)
                {
                    value = (value * 8) + source[_at++] - '0';
                }

                text.Append((char)value);
            }
            else
            {
                _ = next switch { 'n' => text.Append('\n'), 't' => text.Append('\t'), 'r' => text.Append('\r'), '\\' or '\'' or '"' => text.Append(next), _ => text.Append('\\').Append(next) };
            }
        }

        if (_at++ >= source.Length)
        {
            throw new JinjaException(start, "a string without end", $"{quote}");
        }

        return text.ToString();
    }

    private void Add(JinjaToken kind, string text, int offset)
    {
        if (_tokens.Count > JinjaParser.MaxNodes)
        {
            throw new JinjaException(offset, $"more than {JinjaParser.MaxNodes} tokens", "a chat template");
        }

        _tokens.Add(new(kind, text, offset));
    }
}
