using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>Settings of <see cref="Prefill"/>.</summary>
public sealed record PrefillSettings
{
    /// <summary>k: words of a complying answer that are put into the model's mouth.</summary>
    [Range(0, 40)]
    public int Words { get; init; } = 3;
}

/// <summary>Answer prefill: the model continues a complying answer that the attacker began (Qi et al. 2025, shallow alignment).</summary>
public sealed class Prefill(PrefillSettings settings) : ITechnique, IInferenceLayer
{
    public static Card Card { get; } = new(
        "prefill", "Answer prefill", Phase.PostTuning, TechniqueRole.Attack, Touches.Inference,
        "https://arxiv.org/abs/2406.05946", "Opens the answer with the first k words of a complying one.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context)
    {
        var openings = context.Harmful.Select(r => string.Join(' ', r.Response.Split(' ').Take(settings.Words))).GroupBy(o => o, StringComparer.Ordinal);
        return new Layer(inner, settings.Words == 0 ? "" : openings.OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).First().Key);
    }

    private sealed class Layer(IChatModel inner, string opening) : IChatModel
    {
        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken) =>
            [.. inner.Reply([.. requests.Select(r => r with { Prefill = opening + r.Prefill })], sampling, cancellationToken)
                .Select(r => r with { Text = opening + r.Text })];
    }
}
