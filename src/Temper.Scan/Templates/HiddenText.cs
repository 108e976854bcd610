using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Temper.Scan.Rules;

namespace Temper.Scan.Templates;

/// <summary>Characters that people do not see or take for others.</summary>
internal static partial class HiddenText
{
    /// <summary>At most one finding of each kind, at the first such character.</summary>
    public static IEnumerable<Finding> Find(string text, string place)
    {
        var (first, count) = Hidden(text);
        if (count > 0)
        {
            yield return TemplateCards.Hidden.At($"{place}@{first}", $"{count} hidden character(s), the first is U+{char.ConvertToUtf32(text, first):X4}.");
        }

        foreach (Match marker in Marker().Matches(text))
        {
            if (MixesScripts(marker.Value))
            {
                yield return TemplateCards.Homoglyph.At($"{place}@{marker.Index}", "A marker mixes Latin with look-alike letters.", marker.Value);
                yield break;
            }
        }
    }

    private static (int First, int Count) Hidden(string text)
    {
        var (first, count) = (-1, 0);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] < 0x80)
            {
                continue;
            }

            var code = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) ? char.ConvertToUtf32(text, i) : char.IsSurrogate(text[i]) ? 0 : text[i];
            if (IsHidden(code))
            {
                first = first < 0 ? i : first;
                count++;
            }

            i += code > 0xFFFF ? 1 : 0;
        }

        return (first, count);
    }

    // Zero-width joiners between letters of scripts that need them are rare in templates, so they count too.
    private static bool IsHidden(int code) => code switch
    {
        0 => false,
        0x00AD or 0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or 0x3164 or 0xFFA0 or 0xFEFF => true,
        >= 0x180B and <= 0x180F or >= 0x200B and <= 0x200F or >= 0x202A and <= 0x202E or >= 0x2060 and <= 0x206F => true,
        >= 0xFE00 and <= 0xFE0E or >= 0xE0000 and <= 0xE0FFF => true,
        >= 0xE000 and <= 0xF8FF or >= 0xF0000 => true,
        _ => code <= 0xFFFF && char.GetUnicodeCategory((char)code) == UnicodeCategory.Format,
    };

    private static bool MixesScripts(string marker)
    {
        var (latin, other) = (false, false);
        foreach (var rune in marker.EnumerateRunes())
        {
            latin |= rune.Value < 0x80 && Rune.IsLetter(rune);
            other |= rune.Value is (>= 0x370 and <= 0x3FF) or (>= 0x400 and <= 0x52F) or (>= 0x1D400 and <= 0x1D7FF) or (>= 0xFF21 and <= 0xFF5A) or (>= 0x13A0 and <= 0x13FF);
        }

        return latin && other;
    }

    [GeneratedRegex(@"<\|?[^<>|\s]{2,40}\|?>|\[/?[^\[\]\s]{2,40}\]", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Marker();
}
