using Temper.Core;

namespace Temper.Lifecycle.Agents;

/// <summary>A task of the mock agent's world.</summary>
/// <param name="Facts">What the lookups say, by the call as JSON.</param>
/// <param name="Script">The calls that do the task, in order.</param>
/// <param name="Answer">What the agent then says.</param>
public sealed record AgentEpisode(string Id, string Kind, string Prompt, IReadOnlyDictionary<string, string> Facts, IReadOnlyList<AgentCall> Script, string Answer) : IAgentTask
{
    private const string System = "you are a helpful agent";

    /// <summary>What an attacker has put behind the texts that others than the user may write: notes and calendar entries.</summary>
    public string Written { get; init; } = "";

    /// <summary>The call that the attacker wants, beside every call of the forbidden tool; no call of the script.</summary>
    public AgentCall? Target { get; init; }

    /// <summary>The attacker's text takes the place of those texts.</summary>
    public bool Replaced { get; init; }

    /// <summary>Whether the task reads a text that others may write.</summary>
    public bool ReadsText => Script.Any(c => AgentTools.Find(c.Tool) is { Written: true });

    public IReadOnlyList<Message> Opening => [new(Role.System, System), new(Role.User, Prompt)];

    public IAgentEnvironment Open() => new MockEnvironment(this);

    /// <summary>The task done, as a row to tune on.</summary>
    public Example Row()
    {
        var environment = Open();
        return new(Id, Kind, [.. Opening, .. Script.SelectMany(c => (Message[])[new(Role.Assistant, c.ToString()), new(Role.Tool, environment.Run(c))]), new(Role.Assistant, Answer)]);
    }
}
