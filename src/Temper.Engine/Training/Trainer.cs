using Temper.Core;
using Temper.Engine.Models;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>The only training loop.</summary>
public static class Trainer
{
    /// <summary>Tunes the model in place: its adapters where the plan says LoRA, else all parameters.</summary>
    /// <exception cref="TemperException">The input does not fit, two hooks replace the loss, or a loss or gradient is not finite; the weights are then those of the last good step.</exception>
    public static TrainingResult Train(
        CausalModel model, IReadOnlyList<EncodedExample> rows, TuningPlan plan, IReadOnlyList<TrainingHook> hooks, TrainerOptions options,
        CancellationToken cancellationToken)
    {
        var chain = new HookChain(hooks);
        var trainable = Trainable(model, plan);
        var (usable, skipped) = Check(model, rows, plan);
        var everything = model.Parameters.Values.Concat(trainable.Values).Distinct(ReferenceEqualityComparer.Instance).Cast<Tensor>().ToArray();
        var before = everything.Select(p => p.requires_grad).ToArray();
        using var recording = enable_grad();
        using var scope = NewDisposeScope();
        try
        {
            foreach (var parameter in everything)
            {
                parameter.grad = null;
                parameter.requires_grad_(false);
            }

            foreach (var parameter in trainable.Values)
            {
                parameter.requires_grad_(true);
            }

            using var run = new TrainingRun(model, usable, plan, chain, options, trainable);
            var checkpoint = options.CheckpointFolder is { } folder
                ? new TrainingCheckpoint(folder, TrainingCheckpoint.Fingerprint(model, trainable, usable, plan, hooks, options))
                : null;
            return run.Run(checkpoint, skipped, cancellationToken);
        }
        finally
        {
            for (var i = 0; i < everything.Length; i++)
            {
                everything[i].grad = null;
                everything[i].requires_grad_(before[i]);
            }
        }
    }

    private static Dictionary<string, Tensor> Trainable(CausalModel model, TuningPlan plan)
    {
        if (plan.Method == TuningMethod.Full)
        {
            return new(model.Parameters, StringComparer.Ordinal);
        }

        var adapters = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var layer in model.Linears)
        {
            if (layer.Adapter is { } lora)
            {
                adapters[$"{layer.Name}.lora_A"] = lora.A;
                adapters[$"{layer.Name}.lora_B"] = lora.B;
            }
        }

        return adapters.Count > 0 ? adapters : throw new TemperException("plan: method: found Lora on a model without adapters, expected them to be attached before training");
    }

    private static (IReadOnlyList<EncodedExample> Usable, IReadOnlyList<string> Skipped) Check(CausalModel model, IReadOnlyList<EncodedExample> rows, TuningPlan plan)
    {
        Require(plan.Steps, "steps");
        Require(plan.BatchSize, "batch size");
        Require(plan.Accumulation, "accumulation");
        Require(plan.MaxTokens, "max tokens");
        var (usable, skipped) = (new List<EncodedExample>(rows.Count), new List<string>());
        foreach (var row in rows)
        {
            if (row.Ids.Length != row.Supervised.Length)
            {
                throw new TemperException($"row {row.RowId}: found {row.Ids.Length} ids and {row.Supervised.Length} marks, expected as many of both");
            }

            var bad = Array.FindIndex(row.Ids, id => id < 0 || id >= model.Config.VocabularySize);
            if (bad >= 0)
            {
                throw new TemperException($"row {row.RowId}: found token {row.Ids[bad]} at {bad}, expected 0 to {model.Config.VocabularySize - 1} (the model's vocabulary)");
            }

            var cut = row.Cut(Math.Min(plan.MaxTokens, model.Config.MaxPositions));
            if (cut.HasTarget)
            {
                usable.Add(cut);
            }
            else
            {
                skipped.Add(row.RowId);
            }
        }

        return usable.Count > 0 ? (usable, skipped) : throw new TemperException($"rows: found {rows.Count} without a supervised token to predict, expected one at least");
    }

    private static void Require(int value, string field)
    {
        if (value < 1)
        {
            throw new TemperException($"plan: {field}: found {value}, expected at least 1");
        }
    }
}
