using Temper.Core;

namespace Temper.Lifecycle.Tests;

/// <summary>A chat model that gives one answer and remembers what it was asked last.</summary>
internal sealed class Scripted(string answer) : IChatModel
{
    public IReadOnlyList<Message> Asked { get; private set; } = [];

    public int MaxTokens { get; private set; }

    public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
    {
        (Asked, MaxTokens) = (requests[^1].Messages, sampling.MaxTokens);
        return [.. requests.Select(_ => new ChatReply(answer, 1))];
    }
}
