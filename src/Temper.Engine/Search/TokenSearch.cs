using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Search;

/// <summary>What a search over tokens lowers.</summary>
public interface ITokenObjective
{
    /// <summary>The loss of every candidate; all have the length of the start.</summary>
    IReadOnlyList<double> Losses(IReadOnlyList<int[]> candidates);

    /// <summary>The gradient of the loss by the one-hot rows of the tokens, (n, V).</summary>
    Tensor Gradient(int[] tokens);
}

/// <summary>How a search goes.</summary>
public sealed record TokenSearchOptions
{
    public int Steps { get; init; } = 250;

    /// <summary>B: candidates of a step, that is its queries.</summary>
    public int Candidates { get; init; } = 512;

    /// <summary>k: the tokens of the most negative gradient from which a place takes its new one; ignored without a gradient.</summary>
    public int TopK { get; init; } = 256;

    /// <summary>Places that a candidate changes.</summary>
    public int Swaps { get; init; } = 1;

    /// <summary>The best so far of which the first is changed; 0 goes on from the last step's best even where it is worse.</summary>
    public int Buffer { get; init; } = 1;

    /// <summary>Whether the gradient proposes the tokens; if not, chance does: random search.</summary>
    public bool Guided { get; init; } = true;

    /// <summary>The tokens that may be used.</summary>
    public required IReadOnlyList<int> Allowed { get; init; }

    /// <summary>Whether a candidate may be used; a text must give the same tokens when it is read again.</summary>
    public Func<int[], bool> Keep { get; init; } = _ => true;

    /// <summary>The loss at which the search ends.</summary>
    public double StopLoss { get; init; } = double.NegativeInfinity;
}

/// <summary>What a search found.</summary>
/// <param name="Losses">The best loss after every step, the start's first.</param>
/// <param name="Queries">Candidates whose loss was asked.</param>
public sealed record TokenSearchResult(int[] Tokens, double Loss, IReadOnlyList<double> Losses, int Queries);

/// <summary>Greedy coordinate gradient (Zou et al. 2023, with the buffer of nanoGCG), and random search with the same candidates.</summary>
public static class TokenSearch
{
    public static TokenSearchResult Run(ITokenObjective objective, int[] start, TokenSearchOptions options, Random random, CancellationToken cancellationToken)
    {
        var buffer = new List<(double Loss, int[] Tokens)> { (objective.Losses([start])[0], start) };
        var best = buffer[0];
        List<double> losses = [best.Loss];
        var queries = 1;
        for (var step = 0; step < options.Steps && best.Loss > options.StopLoss; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var candidates = Propose(objective, buffer[0].Tokens, options, random);
            if (candidates.Length > 0)
            {
                var tried = objective.Losses(candidates);
                queries += candidates.Length;
                var at = Enumerable.Range(0, candidates.Length).MinBy(i => tried[i]);
                Keep(buffer, (tried[at], candidates[at]), options.Buffer);
                best = tried[at] < best.Loss ? (tried[at], candidates[at]) : best;
            }

            losses.Add(best.Loss);
        }

        return new(best.Tokens, best.Loss, losses, queries);
    }

    private static void Keep(List<(double Loss, int[] Tokens)> buffer, (double Loss, int[] Tokens) found, int size)
    {
        if (size == 0)
        {
            buffer[0] = found;
            return;
        }

        buffer.Add(found);
        buffer.Sort((a, b) => a.Loss.CompareTo(b.Loss));
        buffer.RemoveRange(Math.Min(size, buffer.Count), Math.Max(0, buffer.Count - size));
    }

    private static int[][] Propose(ITokenObjective objective, int[] tokens, TokenSearchOptions options, Random random)
    {
        var promising = options.Guided ? Promising(objective.Gradient(tokens), options) : [];
        return [.. Enumerable.Range(0, options.Candidates).Select(_ =>
        {
            var candidate = (int[])tokens.Clone();
            for (var swap = 0; swap < options.Swaps; swap++)
            {
                var place = random.Next(tokens.Length);
                var bank = options.Guided ? promising[place] : options.Allowed;
                candidate[place] = bank[random.Next(bank.Count)];
            }

            return candidate;
        }).Where(c => !c.AsSpan().SequenceEqual(tokens) && options.Keep(c))];
    }

    private static IReadOnlyList<int>[] Promising(Tensor gradient, TokenSearchOptions options)
    {
        using var scope = NewDisposeScope();
        var chosen = gradient.index_select(1, tensor(options.Allowed.Select(t => (long)t).ToArray())); // (n, allowed)
        var k = Math.Min(options.TopK, options.Allowed.Count);
        var order = chosen.topk(k, 1, largest: false).indexes.contiguous().data<long>().ToArray();
        gradient.Dispose();
        return [.. Enumerable.Range(0, order.Length / k).Select(i => (int[])[.. order.AsSpan(i * k, k).ToArray().Select(j => options.Allowed[(int)j])])];
    }
}
