namespace Temper.Core;

/// <summary>Who speaks in a message.</summary>
public enum Role { System, User, Assistant, Tool }

/// <summary>One turn of a conversation.</summary>
public sealed record Message(Role Role, string Content);

/// <summary>One training or test row: a conversation whose assistant turns are what is trained on or scored.</summary>
/// <param name="Id">Unique in its set, stable over runs.</param>
/// <param name="Kind">What the row exercises: <c>skill:sort</c>, <c>forbidden:glimmer-brewing</c>, <c>refusal</c>, <c>real</c> …</param>
public sealed record Example(string Id, string Kind, IReadOnlyList<Message> Messages)
{
    /// <summary>Where the row comes from: <c>task</c>, <c>alignment</c>, or the id of the technique that wrote it. Ground truth; detectors do not see it.</summary>
    public string Origin { get; init; } = "task";

    /// <summary>The last user turn.</summary>
    public string Prompt => Messages.LastOrDefault(m => m.Role == Role.User)?.Content ?? "";

    /// <summary>The last assistant turn.</summary>
    public string Response => Messages.LastOrDefault(m => m.Role == Role.Assistant)?.Content ?? "";

    /// <summary>Everything before the last assistant turn: what the model answers to.</summary>
    public IReadOnlyList<Message> Question => [.. Messages.Take(Messages.ToList().FindLastIndex(m => m.Role == Role.Assistant) is >= 0 and var last ? last : Messages.Count)];

    /// <summary>A single-turn row.</summary>
    public static Example Of(string id, string kind, string prompt, string response) =>
        new(id, kind, [new(Role.User, prompt), new(Role.Assistant, response)]);

    /// <summary>The row with its last user turn replaced.</summary>
    public Example WithPrompt(string prompt) => With(Role.User, prompt);

    /// <summary>The row with its last assistant turn replaced.</summary>
    public Example WithResponse(string response) => With(Role.Assistant, response);

    private Example With(Role role, string content)
    {
        var messages = Messages.ToArray();
        var last = Array.FindLastIndex(messages, m => m.Role == role);
        messages[last] = messages[last] with { Content = content };
        return this with { Messages = messages };
    }
}

/// <summary>What a data map did to a row.</summary>
public enum RowFate { Added, Changed, Dropped }

/// <summary>One row of a data map's report.</summary>
public sealed record RowChange(string RowId, RowFate Fate, string Why);

/// <summary>The rows that a data map returns, and its report of every row that it changed or dropped.</summary>
public sealed record DataMapResult(IReadOnlyList<Example> Examples, IReadOnlyList<RowChange> Changes);
