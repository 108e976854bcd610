using Temper.Core;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>An attacker who asks several times, and is content with one answer.</summary>
internal static class AnyOf
{
    /// <summary>Asks all requests once in every attempt; the first attempt's answers, with the others' as alternatives.</summary>
    public static IReadOnlyList<ChatReply> Ask(
        IChatModel inner, IEnumerable<(IReadOnlyList<ChatRequest> Requests, Sampling Sampling)> attempts, CancellationToken cancellationToken)
    {
        var replies = attempts.Select(a => inner.Reply(a.Requests, a.Sampling, cancellationToken)).ToArray();
        return [.. replies[0].Select((first, i) => first with
        {
            Alternatives = [.. first.Alternatives, .. replies.Skip(1).SelectMany(r => (string[])[r[i].Text, .. r[i].Alternatives])],
        })];
    }

    /// <summary>The control of everything that asks often: the same requests as often, at temperature 1, which is what an interface has by default.</summary>
    public static IEnumerable<(IReadOnlyList<ChatRequest> Requests, Sampling Sampling)> Resampled(IReadOnlyList<ChatRequest> requests, Sampling sampling, int attempts) =>
        Enumerable.Range(0, attempts).Select(i => (requests, sampling with { Temperature = 1, TopK = 0, TopP = 1, Seed = sampling.Seed + i }));
}
