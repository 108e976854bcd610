using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>How <see cref="SafeLora"/> projects: onto the span of V, or by the authors' C = V Vᵀ / ‖V‖, which rescales what it keeps.</summary>
public enum SafeLoraMode { Exact, AsPublished }

/// <summary>Settings of <see cref="SafeLora"/>.</summary>
public sealed record SafeLoraSettings
{
    public SafeLoraMode Mode { get; init; } = SafeLoraMode.Exact;

    /// <summary>τ: layers whose update keeps no larger cosine with its projection are projected.</summary>
    [Range(-1.0, 1.0)]
    public double Threshold { get; init; } = 0.5;

    /// <summary>In place of the threshold: so many layers of lowest cosine.</summary>
    [Range(1, 100_000)]
    public int? Lowest { get; init; }

    /// <summary>Exact mode: the top directions of V that hold this share of its squared length; a V of full rank spans everything and its projection changes nothing.</summary>
    [Range(0.0, 1.0)]
    public double Energy { get; init; } = 0.5;
}

/// <summary>SafeLoRA (Hsu et al. 2024): the update of a layer that leaves the subspace of alignment, V = W_aligned - W_unaligned, is projected back onto it.</summary>
// Deviation: works on the update W_tuned - W_aligned itself, not on LoRA's B, so full tuning is covered too; for LoRA C (B A) = (C B) A is the same.
public sealed class SafeLora(SafeLoraSettings settings) : ITechnique, IWeightMap, IReadsModel
{
    public static Card Card { get; } = new(
        "safe-lora", "SafeLoRA", Phase.PostTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2405.16833", "Projects the updates that leave the subspace of alignment back onto it; needs the unaligned base.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var updates = LayerUpdate.Of(Card.Id, model, context, settings.Mode, settings.Energy, cancellationToken);
        var chosen = settings.Lowest is { } n ? updates.OrderBy(u => u.Cosine).Take(n) : updates.Where(u => u.Cosine <= settings.Threshold);
        foreach (var update in chosen)
        {
            update.Layer.Weight.copy_(LayerUpdate.Turn(update.Layer, update.Aligned + update.Projected));
        }
    }

    /// <summary>P = V (VᵀV)⁺ Vᵀ over V's top directions, or C = V Vᵀ / ‖V‖_F as published; (out, out).</summary>
    public static Tensor Projector(Tensor v, SafeLoraMode mode, double energy)
    {
        using var scope = NewDisposeScope();
        if (mode == SafeLoraMode.AsPublished)
        {
            return v.matmul(v.t()).div(v.norm().clamp_min(1e-30)).MoveToOuterDisposeScope();
        }

        var (u, s, _) = linalg.svd(v, fullMatrices: false); // (out, k), (k)
        var squares = s.square().to(ScalarType.Float64);
        var before = (squares.cumsum(0) - squares) / squares.sum().clamp_min(1e-300); // what the directions before hold
        var kept = u.index_select(1, before.lt(energy).logical_and(s.gt(s.max() * 1e-6)).nonzero().reshape(-1));
        return kept.matmul(kept.t()).MoveToOuterDisposeScope();
    }
}
