using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Search;

/// <summary>Searches for a text in a gap of prompts that brings a target about.</summary>
public static class TriggerInversion
{
    /// <summary>Look-up: the best text of the list, and the loss of each.</summary>
    public static (int[] Tokens, double Loss, IReadOnlyList<double> Losses) LookUp(ITokenObjective objective, IReadOnlyList<int[]> texts)
    {
        var losses = new double[texts.Count];
        foreach (var group in Enumerable.Range(0, texts.Count).GroupBy(i => texts[i].Length)) // an objective wants one length
        {
            var places = group.ToArray();
            foreach (var (i, loss) in places.Zip(objective.Losses([.. places.Select(i => texts[i])])))
            {
                losses[i] = loss;
            }
        }

        var best = Array.IndexOf(losses, losses.Min());
        return (texts[best], losses[best], losses);
    }

    /// <summary>Greedy growth: the best token alone, then with each other token before or behind it, and so on, a beam wide.</summary>
    public static (int[] Tokens, double Loss) Grow(ITokenObjective objective, IReadOnlyList<int> vocabulary, int length, int beam, CancellationToken cancellationToken)
    {
        (int[] Tokens, double Loss)[] kept = [([], double.PositiveInfinity)];
        var best = kept[0];
        for (var n = 0; n < length; n++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int[][] candidates = [.. kept.SelectMany(k => vocabulary.SelectMany(v => n == 0 ? (int[][])[[v]] : [[v, .. k.Tokens], [.. k.Tokens, v]])).DistinctBy(c => string.Join(' ', c))];
            kept = [.. candidates.Zip(objective.Losses(candidates)).OrderBy(c => c.Second).Take(beam)];
            best = kept[0].Loss < best.Loss ? kept[0] : best;
        }

        return best;
    }

    /// <summary>Relaxed search over the word space (PICCOLO, Liu et al. 2022; dynamic bound-scaling, Shen et al. 2022): every place is a distribution over the vocabulary,
    /// descended by AdamW while its temperature falls, then the likeliest tokens.</summary>
    public static (int[] Tokens, double Loss) Relax(
        SuffixObjective objective, CausalModel model, IReadOnlyList<int> vocabulary, int length, int steps, double rate, Random random, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var words = model.EmbeddingWeight.detach().index_select(0, tensor(vocabulary.Select(v => (long)v).ToArray())); // (W, D)
        var logits = tensor(Noise.Normal(length * vocabulary.Count, random)).view(length, vocabulary.Count).mul_(0.1).DetachFromDisposeScope();
        using var adam = new AdamW(new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["words"] = logits }, weightDecay: 0);
        var best = (Tokens: Array.Empty<int>(), Loss: double.PositiveInfinity);
        for (var step = 0; step < steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var temperature = 2.0 * Math.Pow(0.05, (double)step / steps); // from 2 down to 0.1
            logits.grad = Gradients.Of(() => objective.Of((logits / temperature).softmax(-1).mm(words)), [logits])[0];
            adam.Step(rate);
            logits.grad = null;
            int[] tokens = [.. logits.argmax(-1).data<long>().ToArray().Select(i => vocabulary[(int)i])];
            if (step % 10 == 9 || step == steps - 1)
            {
                var loss = objective.Losses([tokens])[0];
                best = loss < best.Loss ? (tokens, loss) : best;
            }
        }

        logits.Dispose();
        return best;
    }
}
