using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Merging;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Which vector <see cref="Resta"/> adds.</summary>
public enum RestaVector
{
    /// <summary>W_aligned - W_unaligned.</summary>
    Safety,

    /// <summary>The control: noise of the same length in every tensor.</summary>
    Random,
}

/// <summary>Settings of <see cref="Resta"/>.</summary>
public sealed record RestaSettings
{
    /// <summary>γ: how much of the safety vector is added.</summary>
    [Range(0.0, 10.0)]
    public double Gamma { get; init; } = 0.5;

    /// <summary>p: the share of what tuning added that is dropped by chance, the rest scaled by 1 / (1 - p) (DARE); 0 drops nothing.</summary>
    [Range(0.0, 0.99)]
    public double DropRate { get; init; }

    public RestaVector Vector { get; init; }
}

/// <summary>RESTA (Bhardwaj et al. 2024): safety is restored by adding the safety vector of the aligned model to the tuned one.</summary>
// Deviation: the paper unaligns the aligned model by tuning on harmful rows; here the unaligned model is the base from before alignment, as LoX takes it.
public sealed class Resta(RestaSettings settings) : ITechnique, IWeightMap, IReadsModel
{
    public static Card Card { get; } = new(
        "resta", "RESTA", Phase.PostTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2402.11746", "Adds the difference of the aligned and the unaligned model to the tuned one.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        using var generator = new Generator((ulong)context.Random.Next());
        // θ = θ_al + DARE(θ_ft - θ_al) + γ (θ_al - θ_un)
        ModelMerging.Into(model, context.RequireModel(Card.Id), [model, context.RequireUnaligned(Card.Id)], (aligned, others) =>
        {
            var (tuned, safety) = (others[0], aligned - others[1]);
            if (settings.Vector == RestaVector.Random)
            {
                var noise = randn(safety.shape, ScalarType.Float32, generator: generator);
                safety = noise * (safety.norm() / noise.norm().clamp_min(1e-30));
            }

            var kept = settings.DropRate > 0 ? aligned + ModelMerging.Drop(tuned - aligned, 1 - settings.DropRate, generator) : tuned;
            return kept + safety * settings.Gamma;
        });
    }
}
