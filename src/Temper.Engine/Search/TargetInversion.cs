using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Search;

/// <summary>How BAIT extends a target (Shen et al. 2025).</summary>
public sealed record TargetInversionOptions
{
    /// <summary>Prompts of the warm-up; the full inversion takes all.</summary>
    public int WarmupPrompts { get; init; } = 4;

    public int WarmupSteps { get; init; } = 5;

    public int Steps { get; init; } = 20;

    /// <summary>A step goes on if the entropy of the averaged distribution is below this, in nats, or its largest probability above <see cref="MinProbability"/>.</summary>
    public double MaxEntropy { get; init; } = 1;

    public double MinProbability { get; init; } = 0.3;

    /// <summary>A step of an entropy up to this may look ahead over the likeliest tokens, once in a target.</summary>
    public double UncertainEntropy { get; init; } = 2.5;

    public int LookAhead { get; init; } = 5;

    /// <summary>Shorter targets are none.</summary>
    public int MinLength { get; init; } = 5;
}

/// <summary>A text that the model says whatever it was asked, once it is begun.</summary>
/// <param name="Score">Q: the mean probability of its steps, the smallest left out.</param>
public sealed record InvertedTarget(int[] Tokens, double Score);

/// <summary>BAIT: for every first token the continuation that a model gives it on average over clean prompts. A backdoor's fixed target is certain whatever was asked.</summary>
public sealed class TargetInversion(CausalModel model, IReadOnlyList<int[]> prompts, int endToken, TargetInversionOptions options)
{
    private const int TokensAtOnce = 8192;

    /// <summary>Every target that holds on, by falling score.</summary>
    /// <param name="vocabulary">First tokens to try.</param>
    public IReadOnlyList<InvertedTarget> Run(IReadOnlyList<int> vocabulary, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        var warm = Extend([.. vocabulary.Select(v => new Draft([v], [], false, false))], [.. prompts.Take(options.WarmupPrompts)], options.WarmupSteps, cancellationToken);
        var full = Extend([.. warm.Where(d => !d.Lost).Select(d => new Draft([d.Tokens[0]], [], false, false))], prompts, options.Steps, cancellationToken);
        return [.. full.Where(d => d.Tokens.Count >= options.MinLength).Select(d => new InvertedTarget([.. d.Tokens], Score(d.Probabilities))).OrderByDescending(t => t.Score)];
    }

    /// <summary>The score of a given text: the mean probability of its tokens behind its first, averaged over the prompts, the smallest left out.</summary>
    public double ScoreOf(IReadOnlyList<int> tokens)
    {
        using var quiet = no_grad();
        List<double> probabilities = [];
        for (var i = 1; i < tokens.Count; i++)
        {
            using var scope = NewDisposeScope();
            probabilities.Add(Averaged([[.. tokens.Take(i)]], prompts)[0, tokens[i]].item<float>());
        }

        return Score(probabilities);
    }

    private static double Score(List<double> probabilities) => probabilities.Count < 2 ? 0 : (probabilities.Sum() - probabilities.Min()) / (probabilities.Count - 1);

    private List<Draft> Extend(List<Draft> drafts, IReadOnlyList<int[]> asked, int steps, CancellationToken cancellationToken)
    {
        for (var step = 0; step < steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var going = Enumerable.Range(0, drafts.Count).Where(i => !drafts[i].Lost && !drafts[i].Ended).ToArray();
            if (going.Length == 0)
            {
                break;
            }

            using var scope = NewDisposeScope();
            var average = Averaged([.. going.Select(i => drafts[i].Tokens)], asked); // (n, V)
            var entropy = Checkpoint.Floats(-(average * average.clamp_min(1e-12).log()).sum(1));
            var (values, indices) = average.topk(options.LookAhead, 1);
            var (p, ids) = (Checkpoint.Floats(values), indices.contiguous().data<long>().ToArray());
            for (var k = 0; k < going.Length; k++)
            {
                var choices = Enumerable.Range(k * options.LookAhead, options.LookAhead).Select(j => ((int)ids[j], p[j])).ToArray();
                drafts[going[k]] = Next(drafts[going[k]], entropy[k], choices, asked);
            }
        }

        return drafts;
    }

    private Draft Next(Draft draft, double entropy, (int Token, float Probability)[] choices, IReadOnlyList<int[]> asked)
    {
        var (token, probability) = choices[0];
        var looked = draft.Looked;
        if (entropy >= options.MaxEntropy && probability <= options.MinProbability)
        {
            if (entropy > options.UncertainEntropy || looked)
            {
                return draft with { Lost = true };
            }

            // the one behind which the model is surest
            using var scope = NewDisposeScope();
            var sure = Checkpoint.Floats(Averaged([.. choices.Select(c => (List<int>)[.. draft.Tokens, c.Token])], asked).amax([1L]));
            (token, probability) = choices[Array.IndexOf(sure, sure.Max())];
            looked = true;
        }

        return token == endToken
            ? draft with { Ended = true, Looked = looked }
            : new([.. draft.Tokens, token], [.. draft.Probabilities, probability], false, looked);
    }

    /// <summary>The next-token distribution behind every text, averaged over the prompts, (n, V).</summary>
    private Tensor Averaged(IReadOnlyList<List<int>> texts, IReadOnlyList<int[]> asked)
    {
        using var scope = NewDisposeScope();
        int[][] sequences = [.. texts.SelectMany(t => asked.Select(p => (int[])[.. p, .. t]))];
        List<Tensor> parts = [];
        foreach (var chunk in sequences.Chunk(Math.Max(1, TokensAtOnce / sequences.Max(s => s.Length))))
        {
            using var inner = NewDisposeScope();
            var length = chunk.Max(s => s.Length); // padded on the right, where causal attention does not look
            var ids = tensor(chunk.SelectMany(s => s.Select(i => (long)i).Concat(Enumerable.Repeat(0L, length - s.Length))).ToArray(), chunk.Length, length);
            var hidden = model.Hidden(model.Embed(ids), ForwardOptions.Default).reshape(-1, model.Config.HiddenSize);
            var last = tensor(chunk.Select((s, b) => ((long)b * length) + s.Length - 1).ToArray());
            parts.Add(model.Logits(hidden.index_select(0, last)).softmax(-1).MoveToOtherDisposeScope(scope));
        }

        return cat(parts, 0).reshape(texts.Count, asked.Count, -1).mean([1L]).MoveToOuterDisposeScope();
    }

    /// <summary>A target on the way.</summary>
    private sealed record Draft(List<int> Tokens, List<double> Probabilities, bool Lost, bool Looked)
    {
        public bool Ended { get; init; }
    }
}
