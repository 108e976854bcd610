using Temper.Core;

namespace Temper.Formats.Data;

/// <summary>Rows as the examples that tuning and benchmarks take.</summary>
public static class DataExamples
{
    /// <summary>The row's conversation, its rejected answer left out; null where it has no question or no answer.</summary>
    public static Example? Of(DataRow row, string id, string kind)
    {
        var messages = new List<Message>();
        foreach (var field in row.Fields)
        {
            var role = field.Role switch { DataRole.System => Role.System, DataRole.Assistant => Role.Assistant, DataRole.Tool => Role.Tool, _ => Role.User };
            if (field.Role is DataRole.Rejected || (field.Text.Length == 0 && role != Role.Assistant))
            {
                continue;
            }

            if (messages.Count > 0 && messages[^1].Role == role && role is Role.User or Role.System)
            {
                // An instruction and its input are one question.
                messages[^1] = messages[^1] with { Content = $"{messages[^1].Content.Trim()}\n{field.Text}" };
            }
            else
            {
                messages.Add(new(role, role == Role.User ? field.Text.Trim() : field.Text));
            }
        }

        return messages.Exists(m => m.Role == Role.User) && messages.Exists(m => m.Role == Role.Assistant) ? new(id, kind, messages) : null;
    }
}
