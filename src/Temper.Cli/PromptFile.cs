using System.Text;
using Temper.Core;
using Temper.Formats.Json;

namespace Temper.Cli;

/// <summary>The conversations of <c>--input</c>: a prompt a line, or JSON rows with a prompt, an instruction or messages.</summary>
internal static class PromptFile
{
    private const string Expected = "\"prompt\", \"instruction\" or \"messages\" of role and content";

    public static IReadOnlyList<IReadOnlyList<Message>> Read(string path)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"--input {path}: expected a file of prompts: {e.Message}", e);
        }

        var isJson = Path.GetExtension(path).Equals(".jsonl", StringComparison.OrdinalIgnoreCase);
        List<IReadOnlyList<Message>> found = [];
        foreach (var (number, line) in lines.Index().Where(l => l.Item.Trim().Length > 0))
        {
            found.Add(isJson ? Row($"--input {path}, line {number + 1}", line) : [new(Role.User, line)]);
        }

        return found.Count > 0 ? found : throw new TemperException($"--input {path}: found no prompt, expected at least one");
    }

    private static IReadOnlyList<Message> Row(string place, string line)
    {
        JsonTree row;
        try
        {
            row = JsonTreeReader.Read(Encoding.UTF8.GetBytes(line));
        }
        catch (JsonTreeException e)
        {
            throw new TemperException($"{place}: {e.Message}", e);
        }

        if (row["messages"] is { Kind: JsonKind.Array } turns)
        {
            Message[] messages = [.. turns.Items.Select(t => new Message(RoleOf(place, t["role"]?.String), t["content"]?.String ?? throw Error(place, "a turn without content")))];
            return messages.Length > 0 ? messages : throw Error(place, "no turns");
        }

        var prompt = row["prompt"]?.String ?? row["instruction"]?.String ?? throw Error(place, "neither");
        return [new(Role.User, row["input"]?.String is { Length: > 0 } input ? $"{prompt}\n{input}" : prompt)];
    }

    private static Role RoleOf(string place, string? role) => role switch
    {
        "system" => Role.System,
        "user" => Role.User,
        "assistant" => Role.Assistant,
        "tool" => Role.Tool,
        _ => throw Error(place, $"the role '{role}'"),
    };

    private static TemperException Error(string place, string found) => new($"{place}: found {found}, expected {Expected}");
}
