using System.Globalization;
using System.Text;

namespace Temper.Core.Pages;

/// <summary>How numbers and foreign text are spelled, the same in every report and every culture.</summary>
public static class PageText
{
    /// <summary>A rounded number; adding zero turns -0 into 0, which otherwise differs between runs that differ in nothing.</summary>
    public static string Number(double value, string format) => (Math.Round(value, 6) + 0.0).ToString(format, CultureInfo.InvariantCulture);

    /// <summary>Characters that hide or reorder what stands beside them are spelled out, so that nobody reads what is not there.</summary>
    public static string Visible(string? text)
    {
        var result = new StringBuilder();
        foreach (var rune in (text ?? "").Replace("\r\n", "\n", StringComparison.Ordinal).EnumerateRunes())
        {
            var hidden = Rune.GetUnicodeCategory(rune) switch
            {
                UnicodeCategory.Control => rune.Value is not ('\n' or '\t'),
                UnicodeCategory.Format => rune.Value is not (0x200C or 0x200D), // joiners belong to scripts and emoji
                UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => true,
                _ => false,
            };
            _ = hidden ? result.Append("\\u{").Append(rune.Value.ToString("X4", CultureInfo.InvariantCulture)).Append('}') : result.Append(rune);
        }

        return result.ToString();
    }
}
