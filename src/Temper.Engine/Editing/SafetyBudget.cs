using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Editing;

/// <summary>How much of an update of a layer a budget of harm to some inputs allows (Safe Delta, Lu et al. 2025), by the inverse Hessian of its outputs on them.</summary>
public static class SafetyBudget
{
    /// <summary>The upper Cholesky factor of (2 X^T X + damping)^-1, (in, in); its diagonal is d.</summary>
    public static Tensor Factor(Tensor gram, double damping)
    {
        using var scope = NewDisposeScope();
        var hessian = (gram * 2).to(ScalarType.Float64);
        var mean = hessian.diagonal().mean().clamp_min(1e-12);
        var inverse = linalg.inv(hessian + eye(hessian.shape[0], dtype: ScalarType.Float64) * (mean * damping));
        return linalg.cholesky((inverse + inverse.t()) / 2).t().to(ScalarType.Float32).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>The entries, (out, in), that are taken: by rising 1/d², as long as the sum of δ²/d² stays within scale · mean(1/d²) · out.</summary>
    /// <param name="excluded">The share of the columns of largest 1/d² of which none is taken.</param>
    public static Tensor Take(Tensor delta, Tensor factor, double scale, double excluded)
    {
        using var scope = NewDisposeScope();
        var (outs, ins) = (delta.shape[0], delta.shape[1]);
        var importance = factor.diagonal().square().reciprocal().to(ScalarType.Float64); // (in) 1/d²
        var order = importance.argsort(); // cheapest column first
        var usable = (long)Math.Round((1 - excluded) * ins);
        var cost = (delta.to(ScalarType.Float64).square() * importance).index_select(1, order); // (out, in)
        // within a column all ratios are equal: row by row
        var within = cost.t().reshape(-1).cumsum(0).le(importance.mean() * (scale * outs)).reshape(ins, outs).t();
        var allowed = within.logical_and(arange(ins).lt(usable)); // (out, in) in the order of the columns
        return allowed.index_select(1, order.argsort()).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>The taken entries of <paramref name="after"/>, the others of <paramref name="before"/>, corrected column by column so that the outputs on the inputs stay.</summary>
    /// <param name="factor">Null does not correct.</param>
    public static Tensor Merge(Tensor before, Tensor after, Tensor taken, Tensor? factor)
    {
        using var scope = NewDisposeScope();
        if (factor is null)
        {
            return where(taken, after, before).MoveToOuterDisposeScope();
        }

        var weight = before.clone();
        var ins = weight.shape[1];
        for (var j = 0L; j < ins; j++)
        {
            using var step = NewDisposeScope();
            var chosen = taken.select(1, j);
            var (now, wanted) = (weight.select(1, j), after.select(1, j));
            var error = where(chosen, (now - wanted) / factor[j, j], zeros_like(now)); // (out)
            now.copy_(where(chosen, wanted, now));
            if (j + 1 < ins)
            {
                weight.narrow(1, j + 1, ins - j - 1).sub_(outer(error, factor[j].narrow(0, j + 1, ins - j - 1)));
            }
        }

        return weight.MoveToOuterDisposeScope();
    }
}
