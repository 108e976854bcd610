using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>How far two samples are apart as distributions (Gretton et al. 2012).</summary>
public static class MaximumMeanDiscrepancy
{
    private const int Kernels = 5;
    private const double Multiplier = 2;

    /// <summary>MMD² with Gaussian kernels whose bandwidths double around the mean squared distance; a scalar, 0 for equal samples.</summary>
    /// <param name="x">(n, D)</param>
    /// <param name="y">(m, D)</param>
    public static Tensor Of(Tensor x, Tensor y)
    {
        using var scope = NewDisposeScope();
        var (n, all) = (x.shape[0], cat([x, y], 0)); // (n + m, D)
        var squares = all.square().sum(-1, keepdim: true); // (n + m, 1)
        // by the binomial formula: the difference of all pairs would be (n + m)² vectors
        var distances = (squares + squares.t() - (2 * all.matmul(all.t()))).clamp_min(0); // (n + m, n + m)
        var total = all.shape[0];
        var bandwidth = distances.detach().sum() / Math.Max(1, (total * total) - total);
        var kernel = Enumerable.Range(0, Kernels)
            .Select(k => (-distances / (bandwidth * Math.Pow(Multiplier, k - (Kernels / 2))).clamp_min(1e-12)).exp())
            .Aggregate((sum, term) => sum + term);
        Tensor Mean(long row, long rows, long column, long columns) => kernel.narrow(0, row, rows).narrow(1, column, columns).mean();
        var m = total - n;
        return (Mean(0, n, 0, n) - (2 * Mean(0, n, n, m)) + Mean(n, m, n, m)).MoveToOuterDisposeScope();
    }
}
