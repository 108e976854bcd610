using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Merging;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="SafeMerge"/>.</summary>
public sealed record SafeMergeSettings
{
    /// <summary>τ: layers whose update keeps no larger cosine with its projection on the subspace of alignment are merged.</summary>
    [Range(-1.0, 1.0)]
    public double Threshold { get; init; } = 0.5;

    /// <summary>The weight of the safe update in a merged layer; the authors have 0.2.</summary>
    [Range(0.0, 1.0)]
    public double SafeWeight { get; init; } = 0.6;

    /// <summary>The share of every update's entries that is kept by chance and scaled up (DARE); 1 is the linear merge.</summary>
    [Range(0.01, 1.0)]
    public double Density { get; init; } = 1;

    /// <summary>The top directions of V that hold this share of its squared length.</summary>
    [Range(0.0, 1.0)]
    public double Energy { get; init; } = 0.5;

    /// <summary>Steps of tuning the aligned model on refusals, which makes the safe update; 0 merges with the aligned model itself.</summary>
    [Range(0, 100_000)]
    public int Steps { get; init; } = 60;

    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;

    [Range(0.0, 1.0)]
    public double LearningRate { get; init; } = 5e-4;

    /// <summary>The control: as many layers, at random.</summary>
    public bool Random { get; init; }
}

/// <summary>SafeMERGE (Djuhera et al. 2025): layers whose update leaves the subspace of alignment are merged with a safe model's, the others stay.</summary>
// Deviation: on updates of all weights in place of adapters, and the subspace is cut at an energy, without which a V of full rank tells nothing.
public sealed class SafeMerge(SafeMergeSettings settings) : ITechnique, IWeightMap, IReadsModel
{
    public static Card Card { get; } = new(
        "safe-merge", "SafeMERGE", Phase.PostTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2503.17239", "Merges the layers that left the subspace of alignment with those of a safe model; needs the unaligned base.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        using var safe = ModelFactory.Copy(context.RequireModel(Card.Id));
        if (settings.Steps > 0)
        {
            Trainer.Train(
                safe, [.. RefusalMix.Rows(context, 1).Select(context.Encode)],
                new() { Steps = settings.Steps, BatchSize = settings.BatchSize, LearningRate = settings.LearningRate, Seed = (ulong)context.Random.Next() },
                [], TrainerOptions.Default, cancellationToken);
        }

        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var updates = LayerUpdate.Of(Card.Id, model, context, SafeLoraMode.Exact, settings.Energy, cancellationToken).ToArray();
        var chosen = updates.Where(u => u.Cosine <= settings.Threshold).ToArray();
        if (settings.Random)
        {
            context.Random.Shuffle(updates);
            chosen = updates[..chosen.Length];
        }

        using var generator = new Generator((ulong)context.Random.Next());
        var (byName, rule) = (LayerUpdate.ByName(safe), ModelMerging.Dare([1 - settings.SafeWeight, settings.SafeWeight], settings.Density, generator));
        foreach (var update in chosen)
        {
            using var inner = NewDisposeScope();
            var tuned = LayerUpdate.Turn(update.Layer, update.Layer.Weight.detach());
            update.Layer.Weight.copy_(LayerUpdate.Turn(update.Layer, rule(update.Aligned, [tuned, LayerUpdate.Matrix(Card.Id, update.Layer, byName)])));
        }
    }
}
