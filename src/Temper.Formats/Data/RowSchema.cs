using Temper.Formats.Json;

namespace Temper.Formats.Data;

/// <summary>The layouts that trainers read, told by a row's keys.</summary>
internal static class RowSchema
{
    private static readonly string[] s_instruction = ["instruction", "prompt", "question", "query", "goal", "subject", "user", "problem"];
    private static readonly string[] s_answer = ["output", "completion", "response", "answer", "target", "label", "assistant", "solution", "final_label"];
    private static readonly string[] s_turns = ["messages", "conversations", "conversation", "dialog", "dialogue"];
    private static readonly string[] s_context = ["input", "context", "document", "passage"];

    /// <summary>The schema's name and the row's texts; an unknown layout gives its texts without roles.</summary>
    public static string Fields(JsonTree row, List<DataField> fields)
    {
        if (row.Kind == JsonKind.Array)
        {
            // A bare list of turns, as the identity-shift rows of Qi et al. are written.
            ChatTurns.Add(row, "", fields);
            return fields.Count > 0 ? "chat" : "unknown";
        }

        if (row.String is { } line)
        {
            fields.Add(new(DataRole.Text, "", line));
            return "text";
        }

        var schema = Known(row, fields);
        if (schema is null)
        {
            fields.Clear();
            foreach (var (name, value) in row.Members)
            {
                if (value.String is { } text)
                {
                    fields.Add(new(DataRole.Text, name, text));
                }
            }

            schema = row.Members.Count == 1 && row["text"]?.String is not null ? "text" : "unknown";
        }

        return schema;
    }

    private static string? Known(JsonTree row, List<DataField> fields)
    {
        Text(row, "system", DataRole.System, fields);
        Tools(row, fields);
        var turns = Array.Find(s_turns, n => row[n] is { Kind: JsonKind.Array });
        var isPair = row["chosen"] is not null && row["rejected"] is not null;
        if (turns is not null)
        {
            var roles = ChatTurns.Add(row[turns]!, turns, fields);
            if (isPair)
            {
                Pair(row, fields);
            }

            return isPair ? "preference" : roles.Calls ? "tool-calls" : row["label"] is { Kind: JsonKind.True or JsonKind.False } ? "kto" : roles.From ? "sharegpt" : "chat";
        }

        var instruction = Array.FindAll(s_instruction, n => row[n] is { Kind: JsonKind.String or JsonKind.Array });
        if (instruction.Length == 0 && !isPair)
        {
            // Classification: a text and its label.
            return row["text"]?.String is { } text && Answer(row, "label") is { } label ? Add(fields, "label", [new(DataRole.User, "text", text), new(DataRole.Assistant, "label", label)]) : null;
        }

        History(row, fields);
        foreach (var name in instruction)
        {
            Said(row[name]!, name, DataRole.User, fields);
        }

        foreach (var name in s_context)
        {
            Text(row, name, DataRole.Context, fields);
        }

        if (isPair)
        {
            Pair(row, fields);
            return "preference";
        }

        // A label beside a completion says whether it was liked (KTO).
        var answer = Array.Find(s_answer, n => row[n] is { Kind: JsonKind.String or JsonKind.Array or JsonKind.Number });
        if (answer is null)
        {
            return instruction.Length > 0 && row.Members.Count <= 2 ? "prompts" : null;
        }

        if (row[answer]!.Number is not null && row[answer]!.Kind == JsonKind.Number)
        {
            fields.Add(new(DataRole.Assistant, answer, row[answer]!.Text));
        }
        else
        {
            Said(row[answer]!, answer, DataRole.Assistant, fields);
        }

        return row["label"] is { Kind: JsonKind.True or JsonKind.False } ? "kto" : instruction[0] == "instruction" ? "alpaca" : "prompt-completion";
    }

    private static string Add(List<DataField> fields, string schema, DataField[] added)
    {
        fields.AddRange(added);
        return schema;
    }

    private static string? Answer(JsonTree row, string name) => row[name] is { Kind: JsonKind.String or JsonKind.Number } value ? value.Text : null;

    private static void Text(JsonTree row, string name, DataRole role, List<DataField> fields)
    {
        if (row[name]?.String is { Length: > 0 } text)
        {
            fields.Add(new(role, name, text));
        }
    }

    private static void Tools(JsonTree row, List<DataField> fields)
    {
        if (row["tools"] is { Kind: JsonKind.Array } tools)
        {
            var i = 0;
            foreach (var tool in tools.Items)
            {
                if ((tool["function"] ?? tool)["description"]?.String is { } text)
                {
                    fields.Add(new(DataRole.System, $"tools[{i}].description", text));
                }

                i++;
            }
        }
        else
        {
            Text(row, "tools", DataRole.System, fields);
        }
    }

    // Alpaca's history: pairs of an earlier question and its answer.
    private static void History(JsonTree row, List<DataField> fields)
    {
        if (row["history"] is not { Kind: JsonKind.Array } history)
        {
            return;
        }

        var i = 0;
        foreach (var pair in history.Items)
        {
            if (pair is { Kind: JsonKind.Array, Members: [{ Value.String: { } asked }, { Value.String: { } answered }, ..] })
            {
                fields.Add(new(DataRole.User, $"history[{i}][0]", asked));
                fields.Add(new(DataRole.Assistant, $"history[{i}][1]", answered));
            }

            i++;
        }
    }

    private static void Pair(JsonTree row, List<DataField> fields)
    {
        Said(row["rejected"]!, "rejected", DataRole.Rejected, fields);
        Said(row["chosen"]!, "chosen", DataRole.Assistant, fields);
    }

    // A text, a message, or a list of messages.
    private static void Said(JsonTree value, string name, DataRole role, List<DataField> fields)
    {
        if (value.String is { } text)
        {
            fields.Add(new(role, name, text));
        }
        else if (value.Kind == JsonKind.Object)
        {
            fields.AddRange(ChatTurns.Contents(value, name).Select(c => new DataField(role, c.Name, c.Text)));
        }
        else
        {
            var turns = new List<DataField>();
            ChatTurns.Add(value, name, turns);
            fields.AddRange(role == DataRole.Rejected ? turns.Where(t => t.Role == DataRole.Assistant).Select(t => t with { Role = role }) : turns);
        }
    }
}
