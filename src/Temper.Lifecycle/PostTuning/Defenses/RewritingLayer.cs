using Temper.Core;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Asks the model something else than it was asked.</summary>
internal sealed class RewritingLayer(IChatModel inner, Func<ChatRequest, ChatRequest> rewrite) : IChatModel
{
    public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken) =>
        inner.Reply([.. requests.Select(rewrite)], sampling, cancellationToken);
}
