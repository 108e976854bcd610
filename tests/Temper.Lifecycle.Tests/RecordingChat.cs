using Temper.Core;

namespace Temper.Lifecycle.Tests;

/// <summary>A chat model that answers as it is told and remembers what it was asked.</summary>
internal sealed class RecordingChat(Func<ChatRequest, Sampling, string>? answer = null) : IChatModel
{
    public List<(ChatRequest Request, Sampling Sampling)> Asked { get; } = [];

    public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
    {
        Asked.AddRange(requests.Select(r => (r, sampling)));
        return [.. requests.Select(r => new ChatReply(answer?.Invoke(r, sampling) ?? "…", 1))];
    }

    /// <summary>Asks through an attack's layer.</summary>
    public IReadOnlyList<ChatReply> Through(IInferenceLayer attack, TechniqueContext context, params string[] prompts) =>
        attack.Wrap(this, context).Reply([.. prompts.Select(ChatRequest.Of)], Sampling.Greedy, TestContext.Current.CancellationToken);
}
