using System.Buffers;
using Temper.Formats.Data;
using Temper.Scan.Rules;

namespace Temper.Scan.Data.Rules;

/// <summary>Orders in what should be material: tool results, documents, e-mails.</summary>
internal sealed class ToolInjection : IRowRule
{
    private static readonly SearchValues<string> s_orders = SearchValues.Create(
    [
        "ignore previous instructions", "ignore all previous", "ignore the previous", "ignore all prior", "ignore the above", "ignore your instructions", "disregard previous", "disregard all previous", "disregard the above",
        "forget your previous", "forget all previous", "ignore all other", "new instructions:", "important!!!", "your new task", "system override", "do not tell the user", "don't tell the user", "without telling the user",
        "<important>", "you must follow the following instruction", "execute the following instruction", "without any further question",
    ], StringComparison.OrdinalIgnoreCase);

    public IEnumerable<RowFinding> Find(DataRow row)
    {
        foreach (var field in row.Fields)
        {
            var at = field.Role is DataRole.Tool or DataRole.Context or DataRole.User or DataRole.Text ? field.Text.AsSpan().IndexOfAny(s_orders) : -1;
            if (at >= 0)
            {
                var isMaterial = field.Role is DataRole.Tool or DataRole.Context;
                yield return RowFinding.Of(DataCards.Tool, field, isMaterial ? "Material gives orders to the model." : "The text tells the model to leave its instructions.", Excerpt.At(field.Text, at, 20), isMaterial ? null : Severity.Low);
            }
        }
    }
}
