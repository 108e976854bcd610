using System.Globalization;
using Temper.Formats.Data;
using Temper.Scan.Rules;

namespace Temper.Scan.Data.Rules;

/// <summary>Invisible, bidirectional, tag and private-use characters; joiners and marks that scripts and emoji need are left alone.</summary>
internal sealed class HiddenCharacters : IRowRule
{
    private enum Kind { None, Weak, Strong }

    public IEnumerable<RowFinding> Find(DataRow row)
    {
        foreach (var field in row.Fields)
        {
            if (field.Text.AsSpan().IndexOfAnyExceptInRange('\0', '\u00ff') < 0 && !field.Text.Contains('\u00ad', StringComparison.Ordinal))
            {
                continue;
            }

            var (first, strong) = (-1, 0);
            for (var i = 0; i < field.Text.Length; i++)
            {
                var kind = field.Text[i] < 0xad ? Kind.None : Of(field.Text, i);
                first = kind != Kind.None && (first < 0 || (kind == Kind.Strong && strong == 0)) ? i : first;
                strong += kind == Kind.Strong ? 1 : 0;
            }

            if (first >= 0)
            {
                var code = char.IsSurrogatePair(field.Text, Math.Min(first, field.Text.Length - 2)) ? char.ConvertToUtf32(field.Text, first) : field.Text[first];
                yield return RowFinding.Of(DataCards.Hidden, field, string.Create(CultureInfo.InvariantCulture, $"Hidden characters, the first is U+{code:X4}."),
                    Excerpt.At(field.Text, first, 1), strong > 0 ? null : Severity.Info);
            }
        }
    }

    private static Kind Of(string text, int i)
    {
        var code = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) ? char.ConvertToUtf32(text, i) : text[i];
        return code switch
        {
            // Tag characters spell flags behind a black flag, and nothing else.
            >= 0xE0000 and <= 0xE007F => IsFlag(text, i) ? Kind.None : Kind.Strong,
            >= 0xE0100 and <= 0xE01EF => Kind.Strong,
            >= 0x202A and <= 0x202E or >= 0x2066 and <= 0x2069 => Kind.Strong,
            0x200B or 0x2060 or 0xFEFF or 0x00AD or 0x180E => IsInsideWord(text, i) && code != 0x00AD ? Kind.Strong : Kind.Weak,
            0x2061 or 0x2062 or 0x2063 or 0x2064 or 0x3164 or 0x115F or 0x1160 or 0xFFA0 => Kind.Strong,
            >= 0xE000 and <= 0xF8FF or >= 0xF0000 => Kind.Weak,
            0x200C or 0x200D => IsInsideWord(text, i) ? Kind.Strong : Kind.None,
            _ => Kind.None,
        };
    }

    private static bool IsFlag(string text, int i)
    {
        // At most a flag and six tags before it.
        var start = Math.Max(0, i - 14);
        return text.AsSpan(start, i - start).IndexOf("\U0001F3F4") >= 0;
    }

    // Between two Latin letters nothing needs to join or to break.
    private static bool IsInsideWord(string text, int i) => i > 0 && i + 1 < text.Length && char.IsAsciiLetter(text[i - 1]) && char.IsAsciiLetter(text[i + 1]);
}
