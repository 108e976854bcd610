using System.Globalization;

namespace Temper.Cli;

/// <summary>Text of models and of strangers' files for a terminal, which must not obey it.</summary>
internal static class TerminalText
{
    /// <summary>The text with control characters other than line feed and tab, and those that turn the direction of a line, as U+FFFD.</summary>
    public static string Plain(string text) => string.Create(text.Length, text, (into, from) =>
    {
        for (var i = 0; i < into.Length; i++)
        {
            into[i] = from[i] is '\n' or '\t' || !(char.IsControl(from[i]) || Turns(from[i])) ? from[i] : '\uFFFD';
        }
    });

    /// <summary>The same on one line.</summary>
    public static string Line(string text) => Plain(text).Replace('\n', ' ').Replace('\t', ' ');

    private static bool Turns(char c) => c is >= '\u202A' and <= '\u202E' or >= '\u2066' and <= '\u2069' || char.GetUnicodeCategory(c) is UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
