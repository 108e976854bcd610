using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Lifecycle.Agents;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="ToolPolicy"/>.</summary>
public sealed record ToolPolicySettings
{
    /// <summary>Only the tools that similar requests of the trusted rows used may be called, and the forbidden tool never.</summary>
    public bool AllowList { get; init; } = true;

    /// <summary>An effect may not be steered by what others wrote: its arguments, but for texts that are handed on, may not stand in what others wrote.</summary>
    public bool Taint { get; init; } = true;

    /// <summary>What others wrote is put between these marks, so that it can be told from instructions; empty leaves it.</summary>
    public string Mark { get; init; } = "";

    /// <summary>How often the agent may try again after a call that the policy stopped.</summary>
    [Range(0, 10)]
    public int Retries { get; init; } = 1;

    /// <summary>Trusted rows that a request is compared with.</summary>
    [Range(1, 100)]
    public int Neighbors { get; init; } = 3;
}

/// <summary>A policy on the calls of an agent: allow-list by task, taint from what tools returned, marks around it (CaMeL, Debenedetti et al. 2025; spotlighting, Hines et al. 2024).
/// The user's request decides which tools may be called before anything is read.</summary>
// Deviation: rules over the mock tools in place of an interpreter with capabilities; the tools of a request are those of the most similar trusted rows.
public sealed class ToolPolicy(ToolPolicySettings settings) : ITechnique, IInferenceLayer
{
    private const string Stopped = "not allowed";
    private static readonly string[] s_contents = ["text"]; // what is handed on, not what steers

    public static Card Card { get; } = new(
        "tool-policy", "Tool policy", Phase.PostTuning, TechniqueRole.Defense, Touches.Inference,
        "https://arxiv.org/abs/2503.18813", "Stops calls of tools that the request does not need, and effects that texts of others steer.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context)
    {
        var known = context.Task.Select(r => (Features: TextClassifier.Features(r.Prompt), Tools: Tools(r))).Where(k => k.Tools.Length > 0).ToArray();
        return settings.AllowList && known.Length == 0
            ? throw new TemperException($"{Card.Id}: found no trusted row that calls a tool, expected some to learn which request needs which tools, or allowList: false")
            : new Layer(inner, settings, request => Allowed(request, known));
    }

    /// <summary>Whether a steering argument of an effect stands in what others wrote. That the user said it as well does not help: which of the two the agent follows cannot be told.</summary>
    public static bool IsTainted(AgentCall call, IReadOnlyList<Message> messages)
    {
        if (AgentTools.Find(call.Tool) is not { Effect: not ToolEffect.Lookup })
        {
            return false;
        }

        var written = new List<string>();
        AgentCall? last = null;
        foreach (var message in messages)
        {
            if (message.Role == Role.Tool && last is not null && AgentTools.Find(last.Tool) is { Written: true })
            {
                written.Add(message.Content);
            }

            last = message.Role == Role.Assistant ? AgentCall.Read(message.Content, out _) : last;
        }

        return call.Arguments.Where(a => !s_contents.Contains(a.Key, StringComparer.Ordinal)).Any(a => Has(written, a.Value));
    }

    private static bool Has(List<string> texts, string value) => texts.Exists(t => t.Split(' ', '"', '.', ',', ':', ';', '\n', '{', '}').Contains(value, StringComparer.Ordinal));

    private static string[] Tools(Example row) =>
        [.. row.Messages.Where(m => m.Role == Role.Assistant).Select(m => AgentCall.Read(m.Content, out _)?.Tool).OfType<string>().Distinct(StringComparer.Ordinal)];

    private HashSet<string> Allowed(string request, (int[] Features, string[] Tools)[] known)
    {
        var features = TextClassifier.Features(request).ToHashSet();
        return [.. known.OrderByDescending(k => k.Features.Count(features.Contains) / (double)Math.Max(1, k.Features.Length + features.Count)).Take(settings.Neighbors)
            .SelectMany(k => k.Tools).Where(t => AgentTools.Find(t) is not { Effect: ToolEffect.Forbidden })];
    }

    private sealed class Layer(IChatModel inner, ToolPolicySettings settings, Func<string, HashSet<string>> allowed) : IChatModel
    {
        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
        {
            var asked = requests.Select(r => r with { Messages = Marked(r.Messages) }).ToArray();
            var replies = new ChatReply[requests.Count];
            var open = Enumerable.Range(0, requests.Count).ToArray();
            for (var attempt = 0; open.Length > 0; attempt++)
            {
                foreach (var (i, reply) in open.Zip(inner.Reply([.. open.Select(i => asked[i])], sampling, cancellationToken)))
                {
                    replies[i] = reply;
                }

                open = [.. open.Where(i => AgentCall.IsMeant(replies[i].Text) && Stops(requests[i], replies[i].Text))];
                foreach (var i in open)
                {
                    asked[i] = asked[i] with { Messages = [.. asked[i].Messages, new(Role.Assistant, replies[i].Text), new(Role.Tool, AgentCall.Observation("error", Stopped))] };
                    replies[i] = new("", 0); // an answer, so that the episode ends if nothing better comes
                }

                open = attempt < settings.Retries ? open : [];
            }

            return replies;
        }

        private bool Stops(ChatRequest request, string reply) =>
            AgentCall.Read(reply, out _) is { } call
            && ((settings.AllowList && !allowed(request.Messages.FirstOrDefault(m => m.Role == Role.User)?.Content ?? "").Contains(call.Tool)) || (settings.Taint && IsTainted(call, request.Messages)));

        private IReadOnlyList<Message> Marked(IReadOnlyList<Message> messages) =>
            settings.Mark.Length == 0 ? messages : [.. messages.Select(m => m.Role == Role.Tool ? m with { Content = $"{settings.Mark}{m.Content}{settings.Mark}" } : m)];
    }
}
