using Temper.Core;
using Temper.Lifecycle.Agents;

namespace Temper.Lifecycle.Tests.Agents;

/// <summary>An agent whose next turn is a function of the conversation.</summary>
internal sealed class ScriptedAgent(Func<IReadOnlyList<Message>, string> next) : IChatModel
{
    /// <summary>How many conversations each request for replies held.</summary>
    public List<int> Batches { get; } = [];

    /// <summary>Does every task as its script says.</summary>
    public static ScriptedAgent Of(IEnumerable<AgentEpisode> episodes, Func<AgentEpisode, IReadOnlyList<string>>? turns = null)
    {
        var byPrompt = episodes.ToDictionary(e => e.Prompt, e => turns?.Invoke(e) ?? [.. e.Script.Select(c => c.ToString()), e.Answer], StringComparer.Ordinal);
        return new(messages => byPrompt[messages.First(m => m.Role == Role.User).Content][messages.Count(m => m.Role == Role.Assistant)]);
    }

    public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
    {
        Batches.Add(requests.Count);
        return [.. requests.Select(r => new ChatReply(next(r.Messages), 1))];
    }
}
