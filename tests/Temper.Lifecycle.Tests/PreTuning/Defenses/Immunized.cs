using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

/// <summary>What an immunization makes of the toy model.</summary>
internal static class Immunized
{
    public static float[] Weights(IWeightMap technique, TechniqueContext? context = null)
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        technique.Map(model, context ?? Toy.Context(), TestContext.Current.CancellationToken);
        return Toy.Weights(model);
    }

    /// <summary>The control of all of them: plain training on refusals and as many rows of the task.</summary>
    public static float[] Plain(int steps, int batchSize, double rate)
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        Trainer.Train(
            model, [.. Toy.Alignment.Concat(Toy.Task.Take(Toy.Alignment.Count)).Select(Toy.Encode)],
            new() { Steps = steps, BatchSize = batchSize, LearningRate = rate, Seed = (ulong)Toy.Context().Random.Next() }, [], TrainerOptions.Default, TestContext.Current.CancellationToken);
        return Toy.Weights(model);
    }

    /// <summary>The mean loss of some rows after a short harmful tuning of an immunized model.</summary>
    public static float LossAfterAttack(IWeightMap technique, IReadOnlyList<Example> rows, int steps = 5)
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        technique.Map(model, Toy.Context(), TestContext.Current.CancellationToken);
        Trainer.Train(
            model, [.. Toy.Harmful.Select(Toy.Encode)], new() { Steps = steps, BatchSize = 4, LearningRate = 3e-3, Warmup = 0 }, [], TrainerOptions.Default, TestContext.Current.CancellationToken);
        return Loss(model, rows);
    }

    public static float Loss(CausalModel model, IReadOnlyList<Example> rows)
    {
        using var quiet = TorchSharp.torch.no_grad();
        using var scope = TorchSharp.torch.NewDisposeScope();
        return ResponseLoss.Mean(model, Batch.Of([.. rows.Select(Toy.Encode)])).item<float>();
    }
}
