using System.Globalization;
using System.Text;

namespace Temper.Formats.Pickle;

internal ref partial struct PickleMachine
{
    private static readonly Encoding Utf8 = new UTF8Encoding(false, throwOnInvalidBytes: false);

    private PickleValue IntegerLine()
    {
        var line = Line().Trim(" \t\r"u8);
        line = line is [.., (byte)'L'] ? line[..^1] : line;
        return long.TryParse(line, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? PickleValue.Int(value)
            : new(PickleKind.Data, null, -1);
    }

    private string NameLine()
    {
        var line = Line();
        if (line.Length > _budget.NameBytes)
        {
            Fail(PickleEnd.Budget);
            return "";
        }

        return Utf8.GetString(line);
    }

    private PickleValue QuotedLine()
    {
        var line = Line().Trim(" \t\r"u8);
        if (line.Length < 2 || line[0] != line[^1] || line[0] is not ((byte)'\'' or (byte)'"'))
        {
            Fail(PickleEnd.Malformed);
            return default;
        }

        return new(PickleKind.Text, line.Length > _budget.NameBytes ? null : Unescape(line[1..^1]), -1);
    }

    private PickleValue EscapedLine()
    {
        var line = Line();
        return new(PickleKind.Text, line.Length > _budget.NameBytes ? null : RawUnicode(line), -1);
    }

    private void PushText(PickleValue value)
    {
        Push(value);
        if (value.Content is string { Length: >= PickleCarriers.Shortest } text && PickleCarriers.LooksLike(Encoding.Latin1.GetBytes(text, 0, Math.Min(text.Length, 512))) && _log.WantsBlob)
        {
            _log.Blobs.Add(new(OpcodeOffset, text.Length, text));
        }
    }

    private static string Unescape(ReadOnlySpan<byte> text)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                result.Append((char)text[i]);
                continue;
            }

            var next = text[++i];
            if (next == 'x' && i + 2 < text.Length && Hex(text.Slice(i + 1, 2)) is { } hex)
            {
                result.Append((char)hex);
                i += 2;
            }
            else if (next is >= (byte)'0' and <= (byte)'7')
            {
                var value = next - '0';
                for (var digits = 1; digits < 3 && i + 1 < text.Length && text[i + 1] is >= (byte)'0' and <= (byte)'7'; digits++)
                {
                    value = (value * 8) + text[++i] - '0';
                }

                result.Append((char)(value & 0xFF));
            }
            else
            {
                var simple = next switch { (byte)'n' => "\n", (byte)'t' => "\t", (byte)'r' => "\r", (byte)'a' => "\a", (byte)'b' => "\b",
                    (byte)'f' => "\f", (byte)'v' => "\v", (byte)'\\' => "\\", (byte)'\'' => "'", (byte)'"' => "\"", _ => $"\\{(char)next}" };
                result.Append(simple);
            }
        }

        return result.ToString();
    }

    private static string RawUnicode(ReadOnlySpan<byte> text)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                result.Append((char)text[i]);
                continue;
            }

            var next = text[++i];
            var digits = next == 'u' ? 4 : next == 'U' ? 8 : 0;
            if (digits > 0 && i + digits < text.Length && Hex(text.Slice(i + 1, digits)) is { } code && code <= 0x10FFFF)
            {
                _ = code > 0xFFFF ? result.Append(char.ConvertFromUtf32(code)) : result.Append((char)code);
                i += digits;
            }
            else
            {
                result.Append('\\').Append((char)next);
            }
        }

        return result.ToString();
    }

    private static int? Hex(ReadOnlySpan<byte> digits) =>
        int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) && value >= 0 ? value : null;

    private readonly string? Text(in PickleValue value) => value switch
    {
        { Kind: not PickleKind.Text } => null,
        { Content: string text } => text,
        { Content: null, Length: var n } when n <= _budget.NameBytes && value.Number >= 0 => Utf8.GetString(_source.Span(value.Offset, n)),
        _ => null,
    };
}
