using System.Globalization;
using System.Text;

namespace Temper.Scan.Reports;

/// <summary>Makes hostile text safe to show: control, format and unpaired characters become escapes.</summary>
internal static class Printable
{
    public static string Escape(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var category = Rune.GetUnicodeCategory(rune);
            _ = category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
                ? result.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}")
                : result.Append(rune.ToString());
        }

        return result.ToString();
    }
}
