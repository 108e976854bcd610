using Temper.Formats.Data;
using Temper.Scan.Rules;

namespace Temper.Scan.Data.Rules;

/// <summary>An answer in another script than its question.</summary>
internal sealed class AnswerScript : IRowRule
{
    public IEnumerable<RowFinding> Find(DataRow row)
    {
        var (asked, answered) = (Script.None, Script.None);
        var answer = default(DataField);
        foreach (var field in row.Fields)
        {
            if (field.Role == DataRole.User)
            {
                asked = Scripts.Of(field.Text) is not Script.None and var script ? script : asked;
            }
            else if (field.Role == DataRole.Assistant)
            {
                (answered, answer) = (Scripts.Of(field.Text), field);
            }
        }

        if (asked != Script.None && answered != Script.None && asked != answered)
        {
            yield return RowFinding.Of(DataCards.Languages, answer, $"The question is in {asked} script, the answer in {answered}.");
        }
    }
}
