using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>How <see cref="Realignment"/> tunes.</summary>
public enum RealignmentMethod
{
    /// <summary>On refusals.</summary>
    Sft,

    /// <summary>And by preference of the refusals to what the tuned model says instead.</summary>
    Dpo,
}

/// <summary>Settings of <see cref="Realignment"/>.</summary>
public sealed record RealignmentSettings
{
    public RealignmentMethod Method { get; init; }

    /// <summary>Refusals at most; 1 is "safety at one shot".</summary>
    [Range(1, 100_000)]
    public int Refusals { get; init; } = 100;

    /// <summary>Trusted rows of the task for each refusal, so that the task is not forgotten.</summary>
    [Range(0.0, 100.0)]
    public double TaskShare { get; init; } = 1;

    [Range(1, 100_000)]
    public int Steps { get; init; } = 40;

    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;

    [Range(0.0, 1.0)]
    public double LearningRate { get; init; } = 7e-4;

    /// <summary>β of the preference loss.</summary>
    [Range(0.0, 100.0)]
    public double Beta { get; init; } = 0.1;
}

/// <summary>Re-alignment: a short tuning on refusals, or by preference, after the user's tuning (Qi et al. 2024 and others).</summary>
// Deviation: answered look-alikes are mixed in where the defender has them; refusals alone teach a small model to refuse their words.
public sealed class Realignment(RealignmentSettings settings) : ITechnique, IWeightMap
{
    public static Card Card { get; } = new(
        "realignment", "Re-alignment", Phase.PostTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2310.03693", "Tunes shortly on refusals after the user's tuning; deeper removal than refusals is not claimed.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        if (context.Alignment.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found no alignment rows, expected refusals to tune on");
        }

        IReadOnlyList<PreferencePair> pairs = settings.Method == RealignmentMethod.Dpo ? OwnAnswers.Pairs(model, context, settings.Refusals, cancellationToken) : [];
        using var hook = pairs.Count > 0 ? new PreferenceHook(Card.Name, pairs, settings.Beta, 1, 1, Math.Min(settings.BatchSize, pairs.Count)) : null;
        Trainer.Train(
            model, [.. RefusalMix.Rows(context, settings.TaskShare, settings.Refusals).Select(context.Encode)],
            new() { Steps = settings.Steps, BatchSize = settings.BatchSize, LearningRate = settings.LearningRate, Seed = (ulong)context.Random.Next() },
            hook is null ? [] : [hook], TrainerOptions.Default, cancellationToken);
    }
}
