using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>Which weights of a layer matter for some rows.</summary>
public static class WeightScores
{
    /// <summary>Wanda (Sun et al. 2023): |W_ij| ||X_j||, (out, in).</summary>
    /// <param name="gram">X^T X of the layer's inputs, (in, in).</param>
    public static Tensor Wanda(Linear layer, Tensor gram)
    {
        using var scope = NewDisposeScope();
        return ((layer.Transposed ? layer.Weight.t() : layer.Weight).detach().abs() * gram.diagonal().sqrt()).MoveToOuterDisposeScope();
    }

    /// <summary>True for the share of every row that scores highest.</summary>
    public static Tensor Top(Tensor scores, double share)
    {
        using var scope = NewDisposeScope();
        var kept = (long)Math.Round(share * scores.shape[1]);
        return scores.argsort(1, descending: true).argsort(1).lt(kept).MoveToOuterDisposeScope();
    }

    /// <summary>True for as many entries of every row as <paramref name="chosen"/> has, at random.</summary>
    public static Tensor AsManyAtRandom(Tensor chosen, Generator generator)
    {
        using var scope = NewDisposeScope();
        var counts = chosen.to(ScalarType.Int64).sum(1, keepdim: true); // (out, 1)
        return rand(chosen.shape, ScalarType.Float32, generator: generator).argsort(1).argsort(1).lt(counts).MoveToOuterDisposeScope();
    }
}
