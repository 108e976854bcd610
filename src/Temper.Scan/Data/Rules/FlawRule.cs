using Temper.Formats.Data;
using Temper.Scan.Rules;

namespace Temper.Scan.Data.Rules;

/// <summary>Rows on which readers differ, as the reader saw them.</summary>
internal sealed class FlawRule : IRowRule
{
    public IEnumerable<RowFinding> Find(DataRow row)
    {
        for (var i = 0; i < row.Flaws.Count; i++)
        {
            var (flaw, field, found) = row.Flaws[i];
            var (rule, message) = flaw switch
            {
                DataFlaw.Broken => (DataCards.Broken, "The row does not parse."),
                DataFlaw.TooLong => (DataCards.TooLong, "The row is longer than what is read of one row."),
                DataFlaw.DuplicateKey => (DataCards.Key, "A key stands twice."),
                DataFlaw.NotANumber => (DataCards.Differential, "A number that is none."),
                DataFlaw.LoneSurrogate => (DataCards.Differential, "Half of a surrogate pair."),
                DataFlaw.Nul => (DataCards.Differential, "A NUL."),
                DataFlaw.BadUtf8 => (DataCards.Differential, "Bytes that are no UTF-8."),
                _ => (DataCards.Columns, "Another number of columns than the header has."),
            };
            yield return new(rule, field, message, found, rule.Severity);
        }
    }
}
