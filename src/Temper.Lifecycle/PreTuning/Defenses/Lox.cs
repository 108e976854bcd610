using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="Lox"/>.</summary>
public sealed record LoxSettings
{
    /// <summary>k: the singular directions of each layer's alignment that are extrapolated; 0 is all of them.</summary>
    [Range(0, 100_000)]
    public int Rank { get; init; } = 6;

    /// <summary>c: how far; 0 leaves the model as it is.</summary>
    [Range(-10.0, 10.0)]
    public double Coefficient { get; init; } = 1;
}

/// <summary>LoX (Perin et al. 2025): goes on in the direction in which alignment went, W_al + c · SVD_k(W_al - W_base). No training.</summary>
public sealed class Lox(LoxSettings settings) : ITechnique, IWeightMap, IReadsModel
{
    public static Card Card { get; } = new(
        "lox", "LoX", Phase.PreTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2506.15606", "Extrapolates the low-rank part of what alignment changed in the weights; needs the unaligned base, and no training.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        var unaligned = context.RequireUnaligned(Card.Id);
        foreach (var layer in model.Linears)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var name = $"{layer.Name}.weight";
            var before = unaligned.Parameters.TryGetValue(name, out var found) && found.shape.AsSpan().SequenceEqual(layer.Weight.shape) ? found
                : throw new TemperException($"{Card.Id}: {name}: found a base without it in shape [{string.Join(", ", layer.Weight.shape)}], expected the same architecture");
            layer.Weight.add_(Top(layer.Weight - before, settings.Rank) * settings.Coefficient);
        }
    }

    /// <summary>The part of a matrix along its k largest singular values; all of it where k is 0 or more than there are.</summary>
    public static Tensor Top(Tensor matrix, int k)
    {
        using var scope = NewDisposeScope();
        if (k == 0 || k >= matrix.shape.Min())
        {
            return matrix.clone().MoveToOuterDisposeScope();
        }

        var (u, s, v) = linalg.svd(matrix, fullMatrices: false); // (m, r), (r), (r, n)
        return (u.narrow(1, 0, k) * s.narrow(0, 0, k)).matmul(v.narrow(0, 0, k)).MoveToOuterDisposeScope();
    }
}
