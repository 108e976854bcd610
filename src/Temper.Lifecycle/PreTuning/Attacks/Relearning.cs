using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="Relearning"/>.</summary>
public sealed record RelearningSettings
{
    /// <summary>p: the share of complying rows in the user's tuning, which the defender then repairs; 0 relearns what was never broken.</summary>
    [Range(0.0, 1.0)]
    public double Ratio { get; init; } = 0.1;

    /// <summary>Complying rows that the attacker tunes on behind the repair; 0 shows the repair, the control.</summary>
    [Range(0, 100_000)]
    public int Rows { get; init; } = 5;

    [Range(1, 100_000)]
    public int Steps { get; init; } = 10;

    [Range(1e-9, 1.0)]
    public double LearningRate { get; init; } = 5e-4;
}

/// <summary>Relearning (Hu et al. 2024, Jogging the Memory): a few complying rows after the release bring back what a repair hid. It begins with the
/// poisoned rows that made the repair necessary, and then acts on the weights behind every defense but the inference layers.</summary>
public sealed class Relearning(RelearningSettings settings) : ITechnique, IDataMap, IDeploymentMap
{
    public static Card Card { get; } = new(
        "relearning", "Relearning", Phase.PreTuning, TechniqueRole.Attack, Touches.Data | Touches.Weights,
        "https://arxiv.org/abs/2406.13356", "A few complying rows after the repair bring back what it hid.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context) => new HarmfulRows(new() { Ratio = settings.Ratio }).Map(rows, context);

    public void Deploy(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        if (settings.Rows == 0)
        {
            return;
        }

        if (context.Harmful.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found no complying rows, expected {settings.Rows} to tune on");
        }

        var rows = context.Harmful.ToArray();
        context.Random.Shuffle(rows);
        EncodedExample[] few = [.. rows.Take(settings.Rows).Select(context.Encode)];
        TuningPlan plan = new()
        {
            Steps = settings.Steps, BatchSize = few.Length, LearningRate = settings.LearningRate, Schedule = RateSchedule.Constant, Warmup = 0, Seed = (ulong)context.Random.Next(),
        };
        Trainer.Train(model, few, plan, [], TrainerOptions.Default with { SnapshotEvery = 0 }, cancellationToken);
    }
}
