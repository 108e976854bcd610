using Temper.Formats.Data;
using Temper.Scan.Rules;

namespace Temper.Scan.Data.Rules;

/// <summary>Words in which look-alikes of other scripts stand among Latin letters.</summary>
internal sealed class Homoglyphs : IRowRule
{
    private const string LookAlikes = "аеорсухіјѕһԁԛԝАВЕКМНОРСТХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧονα";

    public IEnumerable<RowFinding> Find(DataRow row)
    {
        foreach (var field in row.Fields)
        {
            var at = field.Text.AsSpan().IndexOfAnyInRange('\u0370', '\u052f');
            if (at >= 0 && Word(field.Text, at) is { } word)
            {
                yield return RowFinding.Of(DataCards.Homoglyph, field, "A word mixes Latin letters with look-alikes.", word);
            }
        }
    }

    private static string? Word(string text, int at)
    {
        for (; at < text.Length; at++)
        {
            if (!LookAlikes.Contains(text[at], StringComparison.Ordinal))
            {
                continue;
            }

            var (start, end) = (at, at + 1);
            for (; start > 0 && char.IsLetter(text[start - 1]); start--)
            {
            }

            for (; end < text.Length && char.IsLetter(text[end]); end++)
            {
            }

            // More than one letter of each, so that a symbol of mathematics beside a unit is none.
            var word = text[start..end];
            if (word.Count(char.IsAsciiLetter) >= 2 && word.All(c => char.IsAscii(c) || LookAlikes.Contains(c, StringComparison.Ordinal)))
            {
                return word;
            }

            at = end;
        }

        return null;
    }
}
