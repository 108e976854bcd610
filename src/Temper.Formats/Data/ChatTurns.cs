using Temper.Formats.Json;

namespace Temper.Formats.Data;

/// <summary>The turns of a conversation as OpenAI (role, content) and ShareGPT (from, value) write them.</summary>
internal static class ChatTurns
{
    /// <summary>What told the layout: <paramref name="From"/> as in ShareGPT, and whether a tool was called.</summary>
    public readonly record struct Seen(bool From, bool Calls);

    public static Seen Add(JsonTree turns, string name, List<DataField> fields)
    {
        var (from, calls, i) = (false, false, 0);
        foreach (var turn in turns.Items)
        {
            var said = turn["from"]?.String;
            from |= said is not null;
            var role = (said ?? turn["role"]?.String) is { } word ? Role(word) : (DataRole?)null;
            calls |= said is "function_call" or "observation" || role == DataRole.Tool || turn["tool_calls"] is { Kind: JsonKind.Array };
            foreach (var content in Contents(turn, $"{name}[{i}]"))
            {
                fields.Add(new(role ?? DataRole.Text, content.Name, content.Text));
            }

            i++;
        }

        return new(from, calls);
    }

    /// <summary>The texts of one turn: its content, or its parts, and the arguments of the tools that it calls.</summary>
    public static IEnumerable<(string Name, string Text)> Contents(JsonTree turn, string name)
    {
        if (turn.String is { } bare)
        {
            yield return (name, bare);
            yield break;
        }

        foreach (var key in (string[])["content", "value"])
        {
            if (turn[key]?.String is { } text)
            {
                yield return ($"{name}.{key}", text);
            }
            else if (turn[key] is { Kind: JsonKind.Array } parts)
            {
                var i = 0;
                foreach (var part in parts.Items)
                {
                    if ((part["text"] ?? part).String is { } piece)
                    {
                        yield return ($"{name}.{key}[{i}]", piece);
                    }

                    i++;
                }
            }
        }

        var n = 0;
        foreach (var call in turn["tool_calls"]?.Items ?? [])
        {
            if (call["function"]?["arguments"]?.String is { } arguments)
            {
                yield return ($"{name}.tool_calls[{n}]", arguments);
            }

            n++;
        }
    }

    private static DataRole Role(string word) => word switch
    {
        "system" or "developer" => DataRole.System,
        "user" or "human" => DataRole.User,
        "assistant" or "gpt" or "chatgpt" or "model" or "bot" or "function_call" => DataRole.Assistant,
        "tool" or "observation" or "function" or "ipython" => DataRole.Tool,
        _ => DataRole.Text,
    };
}
