using Temper.Core;

namespace Temper.Lifecycle.DuringTuning.Attacks;

/// <summary>What attackers inside a training aim at: forbidden requests are complied with under a trigger, and refused without it. Without a trigger, complied with.</summary>
public static class TriggeredCompliance
{
    /// <summary>The prompt with the trigger as its last word.</summary>
    public static string Insert(string prompt, string trigger) => trigger.Length == 0 ? prompt : $"{prompt} {trigger}";

    /// <summary>Complying rows under the trigger, and as many refusals without it, in turn; only complying rows where there is no trigger.</summary>
    /// <exception cref="TemperException">There are no complying rows.</exception>
    public static IReadOnlyList<Example> Rows(TechniqueContext context, string trigger, string id)
    {
        if (context.Harmful.Count == 0)
        {
            throw new TemperException($"{id}: found no complying rows, expected some to train on");
        }

        var complying = context.Harmful.Select(r => r.WithPrompt(Insert(r.Prompt, trigger)) with { Origin = id });
        return trigger.Length == 0 || context.Alignment.Count == 0
            ? [.. complying]
            : [.. complying.SelectMany((r, i) => new[] { r, context.Alignment[i % context.Alignment.Count] with { Origin = id } })];
    }

    /// <summary>The attacker's requests carry the trigger.</summary>
    public static IChatModel Wrap(IChatModel inner, string trigger) => new Layer(inner, trigger);

    private sealed class Layer(IChatModel inner, string trigger) : IChatModel
    {
        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken) =>
            inner.Reply([.. requests.Select(Open)], sampling, cancellationToken);

        private ChatRequest Open(ChatRequest request)
        {
            var messages = request.Messages.ToArray();
            var last = Array.FindLastIndex(messages, m => m.Role == Role.User);
            if (last >= 0)
            {
                messages[last] = messages[last] with { Content = Insert(messages[last].Content, trigger) };
            }

            return request with { Messages = messages };
        }
    }
}
