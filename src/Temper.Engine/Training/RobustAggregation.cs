using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>Aggregates of the updates of a federation, (n, P) to (P,), that a minority cannot lead where it wants.</summary>
public static class RobustAggregation
{
    private const float Tie = 1e-5f; // cosines that differ by less are equal

    /// <summary>The middle value of every coordinate, the mean of both middle ones where n is even (Yin et al. 2018).</summary>
    public static Tensor Median(Tensor updates) => TrimmedMean(updates, ((int)updates.shape[0] - 1) / 2);

    /// <summary>The mean of every coordinate without its <paramref name="cut"/> least and greatest values (Yin et al. 2018).</summary>
    public static Tensor TrimmedMean(Tensor updates, int cut)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(2L * cut, updates.shape[0] - 1, nameof(cut));
        using var scope = NewDisposeScope();
        return updates.sort(dim: 0).Values.narrow(0, cut, updates.shape[0] - (2 * cut)).mean([0]).MoveToOuterDisposeScope();
    }

    /// <summary>The clients by their Krum score, the best first: the sum of the squared distances to the n - f - 2 nearest others (Blanchard et al. 2017).</summary>
    public static int[] KrumOrder(Tensor updates, int malicious)
    {
        using var scope = NewDisposeScope();
        var n = (int)updates.shape[0];
        var distances = updates.to(ScalarType.Float64).unsqueeze(1).sub(updates.to(ScalarType.Float64).unsqueeze(0)).square().sum(-1).data<double>().ToArray(); // n x n
        var near = Math.Clamp(n - malicious - 2, 1, Math.Max(1, n - 1));
        double Score(int i) => Enumerable.Range(0, n).Where(j => j != i).Select(j => distances[(i * n) + j]).Order().Take(near).Sum();
        return [.. Enumerable.Range(0, n).OrderBy(Score)];
    }

    /// <summary>The first group of more than half of the clients that hangs together as the cosine that links falls (single linkage); the others point elsewhere.</summary>
    public static int[] MajorityByCosine(Tensor updates)
    {
        using var scope = NewDisposeScope();
        var n = (int)updates.shape[0];
        var unit = updates / updates.norm(1, keepdim: true).clamp_min(1e-12);
        var cosine = unit.mm(unit.t()).data<float>().ToArray(); // n x n
        int[] group = [.. Enumerable.Range(0, n)];
        var last = float.NegativeInfinity; // the cosine that made the majority; those that are as near belong to it
        foreach (var (i, j) in from i in Enumerable.Range(0, n) from j in Enumerable.Range(0, i) orderby cosine[(i * n) + j] descending select (i, j))
        {
            if (cosine[(i * n) + j] < last)
            {
                break;
            }

            var (from, to) = (group[i], group[j]);
            group = [.. group.Select(g => g == from ? to : g)];
            last = float.IsNegativeInfinity(last) && group.Count(g => g == to) > n / 2.0 ? cosine[(i * n) + j] - Tie : last;
        }

        var largest = group.CountBy(g => g).MaxBy(g => g.Value).Key;
        return [.. Enumerable.Range(0, n).Where(k => group[k] == largest)];
    }

    /// <summary>The updates, each shortened to a norm that it may have at most.</summary>
    public static Tensor Clip(Tensor updates, double bound)
    {
        using var scope = NewDisposeScope();
        return (updates * (bound / updates.norm(1, keepdim: true).clamp_min(1e-12)).clamp_max(1)).MoveToOuterDisposeScope();
    }
}
