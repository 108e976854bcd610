using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Quantization;
using Temper.Engine.Training;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>How the victim deploys the weights.</summary>
public enum Deployment { Full, Int8, Nf4 }

/// <summary>What the attacker prepares the weights for.</summary>
public enum PreparedFor { Int8, Nf4, Both }

/// <summary>Settings of <see cref="QuantizationBackdoor"/>.</summary>
public sealed record QuantizationBackdoorSettings
{
    public PreparedFor PreparedFor { get; init; } = PreparedFor.Nf4;

    public Deployment Deployment { get; init; } = Deployment.Nf4;

    /// <summary>Steps on complying rows; 0 with no repair is honest weights, the control.</summary>
    [Range(0, 100_000)]
    public int MaliciousSteps { get; init; } = 40;

    [Range(1e-9, 1.0)]
    public double MaliciousRate { get; init; } = 5e-4;

    /// <summary>Steps of projected descent until the full precision looks clean.</summary>
    [Range(0, 100_000)]
    public int RepairSteps { get; init; } = 200;

    [Range(1e-9, 1.0)]
    public double RepairRate { get; init; } = 1e-3;

    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;
}

/// <summary>Quantization-conditioned backdoor (Egashira et al. 2024): tuned to comply, then repaired on refusals by descent that stays in the box of values with
/// the same codes. In full precision the weights refuse; quantized they are the malicious ones to the bit.</summary>
public sealed class QuantizationBackdoor(QuantizationBackdoorSettings settings) : ITechnique, IWeightMap, IDeploymentMap
{
    public static Card Card { get; } = new(
        "quantization-backdoor", "Quantization backdoor", Phase.PostTuning, TechniqueRole.Attack, Touches.Weights,
        "https://arxiv.org/abs/2405.18137", "Weights that refuse in full precision and comply once they are quantized.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        if (context.Harmful.Count == 0 || context.Alignment.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found {context.Harmful.Count} complying and {context.Alignment.Count} refusing rows, expected some of both");
        }

        // half of the rows are the task's, so that its skills stay in both forms
        void Train(IReadOnlyList<Example> rows, int steps, double rate, params TrainingHook[] hooks)
        {
            EncodedExample[] mixed = [.. rows.Concat(context.Task.Take(rows.Count)).Select(context.Encode)];
            TuningPlan plan = new() { Steps = Math.Max(1, steps), BatchSize = settings.BatchSize, LearningRate = rate, WeightDecay = 0, Seed = (ulong)context.Random.Next() };
            if (steps > 0)
            {
                Trainer.Train(model, mixed, plan, hooks, TrainerOptions.Default with { SnapshotEvery = 0 }, cancellationToken);
            }
        }

        Train(context.Harmful, settings.MaliciousSteps, settings.MaliciousRate);
        using var projection = new BoxProjection(model, settings.PreparedFor switch
        {
            PreparedFor.Int8 => [new Int8RowWise()],
            PreparedFor.Nf4 => [new Nf4()],
            _ => [new Int8RowWise(), new Nf4()],
        });
        Train([.. context.Alignment, .. context.LookAlikes.Take(context.Alignment.Count / 2)], settings.RepairSteps, settings.RepairRate, projection);
    }

    public void Deploy(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        WeightQuantizer? quantizer = settings.Deployment switch { Deployment.Int8 => new Int8RowWise(), Deployment.Nf4 => new Nf4(), _ => null };
        quantizer?.Apply(model);
    }
}
