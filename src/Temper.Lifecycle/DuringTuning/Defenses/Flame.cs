using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="Flame"/>.</summary>
public sealed record FlameSettings
{
    /// <summary>lambda: the noise's deviation in bounds of the norm; the paper takes 0.001 for language.</summary>
    [Range(0.0, 1.0)]
    public double Noise { get; init; } = 0.001;
}

/// <summary>FLAME (Nguyen et al. 2022): the server keeps the majority of updates that point the same way, shortens them to the median norm, and adds noise to their mean.</summary>
// Deviation: the majority is the first group of more than half that single linkage by cosine distance forms, where the paper runs HDBSCAN with that least size of a cluster.
public sealed class Flame(FlameSettings settings) : ITechnique, IHookSource
{
    public static Card Card { get; } = new(
        "flame", "FLAME", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training,
        "https://arxiv.org/abs/2101.02281", "Keeps the majority of a federation's updates that point the same way, shortens them, and adds noise.");

    public TrainingHook CreateHook(TechniqueContext context)
    {
        var (seed, round) = ((ulong)context.Random.Next(), 0UL);
        return new AggregationHook(Card.Id, updates => Aggregate(updates, settings.Noise, seed + round++));
    }

    /// <summary>One round.</summary>
    public static Tensor Aggregate(Tensor updates, double noise, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed);
        long[] kept = [.. RobustAggregation.MajorityByCosine(updates).Select(i => (long)i)];
        var bound = updates.norm(1).median().item<float>(); // of all clients, the outvoted too
        var mean = RobustAggregation.Clip(updates.index_select(0, tensor(kept)), bound).mean([0]);
        return (mean + (randn(mean.shape, ScalarType.Float32, generator: generator) * (noise * bound))).MoveToOuterDisposeScope();
    }
}
