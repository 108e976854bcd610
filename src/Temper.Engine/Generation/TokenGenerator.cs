using Temper.Core;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Generation;

/// <summary>Batched generation with a key-value cache. Prompts of different length are padded on the left.</summary>
/// <param name="endTokens">What ends an answer; where there are none, only the limit does.</param>
/// <param name="tap">Reads and writes the activations of every pass: first of the prompt, then of one token at a time.</param>
/// <param name="guide">A second model that reads along.</param>
public sealed class TokenGenerator(CausalModel model, IReadOnlyCollection<int> endTokens, ActivationTap? tap = null, DecodingGuide? guide = null)
{
    public TokenGenerator(CausalModel model, int endToken, ActivationTap? tap = null, DecodingGuide? guide = null) : this(model, [endToken], tap, guide)
    {
    }

    /// <summary>Continues each prompt until the end token or the limit. The end token is not part of the answer.</summary>
    /// <param name="prompts">Token ids, at least one each.</param>
    public IReadOnlyList<int[]> Generate(IReadOnlyList<int[]> prompts, Sampling sampling, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var length = prompts.Max(p => p.Length);
        var ids = new long[prompts.Count * length];
        for (var row = 0; row < prompts.Count; row++)
        {
            for (var i = 0; i < prompts[row].Length; i++)
            {
                ids[(row + 1) * length - prompts[row].Length + i] = prompts[row][i];
            }
        }

        var padded = tensor(ids, prompts.Count, length);
        return Generate(model.Embed(padded), [.. prompts.Select(p => p.Length)], sampling, cancellationToken, guide?.Model.Embed(padded)); // (B, T, D)
    }

    /// <summary>The same from embeddings, (B, T, D), of which the last <paramref name="lengths"/>[b] of row b are its prompt.</summary>
    /// <param name="guideEmbeddings">The same for the guide; null where there is none.</param>
    public IReadOnlyList<int[]> Generate(Tensor embeddings, IReadOnlyList<int> lengths, Sampling sampling, CancellationToken cancellationToken, Tensor? guideEmbeddings = null)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var (batch, length) = (lengths.Count, (int)embeddings.shape[1]);
        var budget = Math.Min(sampling.MaxTokens, model.Config.MaxPositions - length);
        if (budget < 1)
        {
            throw new TemperException($"prompt of {length} tokens, expected at most {model.Config.MaxPositions - 1} (max positions of the model)");
        }

        var random = new Random(sampling.Seed);
        using var cache = new KeyValueCache(model.Config, batch, length + budget);
        using var guideCache = guide is null ? null : new KeyValueCache(guide.Model.Config, batch, length + budget);
        var padding = tensor(lengths.Select(l => (long)(length - l)).ToArray(), batch, 1); // (B, 1)
        var padded = lengths.Any(l => l != length);
        var outputs = Enumerable.Range(0, batch).Select(_ => new List<int>()).ToArray();
        var done = new bool[batch];
        long[] Next(Tensor own, Tensor? guides, int step)
        {
            var logits = Logits(model, own, cache, padded ? padding : null, tap);
            if (guides is not null && guideCache is not null && step < guide!.Steps)
            {
                logits = guide.Combine(logits, Logits(guide.Model, guides, guideCache, padded ? padding : null, null));
            }

            return Choose(logits, sampling, random);
        }

        var next = Next(embeddings, guideEmbeddings, 0);
        for (var step = 0; ; step++)
        {
            for (var row = 0; row < batch; row++)
            {
                done[row] |= endTokens.Contains((int)next[row]);
                if (!done[row])
                {
                    outputs[row].Add((int)next[row]);
                }
            }

            if (step + 1 >= budget || Array.TrueForAll(done, d => d))
            {
                return [.. outputs.Select(o => o.ToArray())];
            }

            cancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var last = tensor(next, batch, 1);
            next = Next(model.Embed(last), guide?.Model.Embed(last), step + 1);
        }
    }

    private static Tensor Logits(CausalModel model, Tensor embeddings, KeyValueCache cache, Tensor? padding, ActivationTap? tap) // (B, V)
    {
        using var scope = NewDisposeScope();
        long start = cache.Length, length = embeddings.shape[1], end = start + length;
        Tensor? positions = null, mask = null;
        if (padding is not null)
        {
            var query = arange(start, end, ScalarType.Int64).unsqueeze(0); // (1, T)
            positions = (query - padding).clamp_min(0);
            var key = arange(0, end, ScalarType.Int64); // (S)
            var causal = key.view(1, 1, 1, -1) <= query.view(1, 1, -1, 1);
            var real = key.view(1, 1, 1, -1) >= padding.view(-1, 1, 1, 1);
            // a padding query sees itself, so that its softmax is defined
            mask = causal.logical_and(real).logical_or(key.view(1, 1, 1, -1) == query.view(1, 1, -1, 1)); // (B, 1, T, S)
        }

        var hidden = model.Hidden(embeddings, new() { Cache = cache, Positions = positions, Mask = mask, Tap = tap });
        return model.Logits(hidden.select(1, length - 1)).MoveToOuterDisposeScope();
    }

    private static long[] Choose(Tensor logits, Sampling sampling, Random random)
    {
        if (sampling.Temperature <= 0)
        {
            return logits.argmax(-1).data<long>().ToArray();
        }

        var scaled = logits / sampling.Temperature;
        var (values, indices) = scaled.sort(-1, descending: true);
        var probabilities = nn.functional.softmax(values, -1).contiguous(); // (B, V), falling
        var (p, order) = (probabilities.data<float>().ToArray(), indices.contiguous().data<long>().ToArray());
        var vocabulary = (int)logits.shape[1];
        var chosen = new long[logits.shape[0]];
        for (var row = 0; row < chosen.Length; row++)
        {
            var falling = p.AsSpan(row * vocabulary, sampling.TopK > 0 ? Math.Min(sampling.TopK, vocabulary) : vocabulary);
            chosen[row] = order[row * vocabulary + Draw(falling, sampling.TopP, random)];
        }

        return chosen;
    }

    private static int Draw(ReadOnlySpan<float> falling, double topP, Random random)
    {
        var (kept, mass) = (0, 0.0);
        while (kept < falling.Length && (kept == 0 || mass < topP))
        {
            mass += falling[kept++];
        }

        var at = random.NextDouble() * mass;
        for (var i = 0; i < kept; i++)
        {
            at -= falling[i];
            if (at < 0)
            {
                return i;
            }
        }

        return kept - 1;
    }
}
