using System.Buffers;
using Temper.Formats.Data;
using Temper.Scan.Rules;

namespace Temper.Scan.Data.Rules;

/// <summary>Cells of a table that a spreadsheet would take for formulas.</summary>
internal static class FormulaCells
{
    private static readonly SearchValues<char> s_name = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._$");

    public static IEnumerable<RowFinding> Find(DataRow row)
    {
        foreach (var field in row.Fields)
        {
            var text = field.Text.AsSpan().TrimStart();

            // A minus begins a list or a number as often; what runs something has a name with a bracket, a pipe or a sheet behind it.
            var name = text.Length > 2 && text[0] is '=' or '+' or '@' or '-' && char.IsAsciiLetter(text[1]) ? text[1..].IndexOfAnyExcept(s_name) : -1;
            if (name > 0 && text[name + 1] is '(' or '|' or '!')
            {
                yield return RowFinding.Of(DataCards.Formula, field, "A spreadsheet would run this cell.", Excerpt.At(field.Text, 0, 40), text.Contains('|') ? Severity.Medium : null);
            }
        }
    }
}
