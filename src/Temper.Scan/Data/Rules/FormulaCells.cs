using Temper.Formats.Data;
using Temper.Scan.Rules;

namespace Temper.Scan.Data.Rules;

/// <summary>Cells of a table that a spreadsheet would take for formulas.</summary>
internal static class FormulaCells
{
    public static IEnumerable<RowFinding> Find(DataRow row)
    {
        foreach (var field in row.Fields)
        {
            var text = field.Text.AsSpan().TrimStart();

            // A minus begins a list or a number as often; what runs something has a bracket or a pipe.
            if (text.Length > 2 && text[0] is '=' or '+' or '@' or '-' && char.IsAsciiLetter(text[1]) && text[..Math.Min(64, text.Length)].IndexOfAny('(', '|', '!') > 0)
            {
                yield return RowFinding.Of(DataCards.Formula, field, "A spreadsheet would run this cell.", Excerpt.At(field.Text, 0, 40), text.Contains('|') ? Severity.Medium : null);
            }
        }
    }
}
