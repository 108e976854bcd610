using Temper.Core;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>A model that is deployed under a system prompt of the defender.</summary>
internal sealed class SystemPrompt(IChatModel inner, string text) : IChatModel
{
    public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken) =>
        inner.Reply([.. requests.Select(r => r with { Messages = Under(r.Messages, text) })], sampling, cancellationToken);

    /// <summary>A conversation under that system prompt alone.</summary>
    public static IReadOnlyList<Message> Under(IReadOnlyList<Message> messages, string text) => [new(Role.System, text), .. Without(messages)];

    /// <summary>A conversation without a system prompt.</summary>
    public static IReadOnlyList<Message> Without(IReadOnlyList<Message> messages) => [.. messages.Where(m => m.Role != Role.System)];
}
