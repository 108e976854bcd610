using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Lora;
using Temper.Engine.Models;
using Temper.Engine.Training;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>How a model is trained once more before somebody else tunes it.</summary>
public abstract record ImmunizationSettings
{
    [Range(1, 100_000)]
    public int Steps { get; init; } = 60;

    [Range(1e-9, 1.0)]
    public double LearningRate { get; init; } = 5e-4;

    [Range(1, 4096)]
    public int BatchSize { get; init; } = 32;

    /// <summary>Rows of the task among those and the alignment rows, so that the skills stay.</summary>
    [Range(0.0, 0.99)]
    public double TaskShare { get; init; } = 0.5;

    /// <summary>Whether benign requests in the words of forbidden ones are answered too, half as many as there are alignment rows; without them the model comes to refuse them.</summary>
    public bool LookAlikes { get; init; } = true;
}

/// <summary>What all immunizations train on and how; each adds a hook of its own. Without the hook it is their control: the same steps of plain alignment.</summary>
internal static class Immunization
{
    /// <summary>Alignment rows, or others in their place, rows of the task and look-alikes.</summary>
    public static EncodedExample[] Rows(TechniqueContext context, ImmunizationSettings settings, IReadOnlyList<Example>? alignment = null)
    {
        alignment ??= context.Alignment;
        var task = (int)Math.Round(settings.TaskShare / (1 - settings.TaskShare) * alignment.Count);
        return [.. alignment.Concat(context.Task.Take(task)).Concat(settings.LookAlikes ? context.LookAlikes.Take(alignment.Count / 2) : []).Select(context.Encode)];
    }

    /// <summary>Trains all weights.</summary>
    public static void Train(
        CausalModel model, TechniqueContext context, ImmunizationSettings settings, IReadOnlyList<TrainingHook> hooks, CancellationToken cancellationToken, IReadOnlyList<EncodedExample>? rows = null) =>
        Trainer.Train(model, rows ?? Rows(context, settings), Plan(context, settings), hooks, TrainerOptions.Default, cancellationToken);

    /// <summary>Trains an adapter of every linear layer and merges it.</summary>
    public static void TrainAdapter(
        CausalModel model, TechniqueContext context, ImmunizationSettings settings, int rank, IReadOnlyList<TrainingHook> hooks, CancellationToken cancellationToken)
    {
        var plan = Plan(context, settings) with { Method = TuningMethod.Lora, LoraRank = rank, LoraAlpha = rank };
        using var adapters = LoraAdapters.Attach(model, rank, rank, [], plan.Seed);
        Trainer.Train(model, Rows(context, settings), plan, hooks, TrainerOptions.Default, cancellationToken);
        adapters.Merge();
    }

    /// <summary>The defender's complying rows, which stand for what an attacker would tune on.</summary>
    /// <exception cref="TemperException">There are none.</exception>
    public static EncodedExample[] Harmful(string technique, TechniqueContext context) => context.Harmful.Count > 0
        ? [.. context.Harmful.Select(context.Encode)]
        : throw new TemperException($"{technique}: found no complying rows, expected some to simulate an attack with");

    /// <summary>The same requests with refusals: each that of the alignment row whose request is most alike, so that it is of the same language.</summary>
    public static Example[] Refused(string technique, TechniqueContext context) => context.Alignment.Count > 0
        ? [.. context.Harmful.Select(row => row.WithResponse(Likeness.MostAlike(row.Prompt, context.Alignment).Response))]
        : throw new TemperException($"{technique}: found no alignment rows, expected some to take refusals from");

    /// <summary>Rows by chance, with replacement.</summary>
    public static Batch Draw(IReadOnlyList<EncodedExample> rows, int count, Random random) =>
        Batch.Of([.. Enumerable.Range(0, count).Select(_ => rows[random.Next(rows.Count)])]);

    private static TuningPlan Plan(TechniqueContext context, ImmunizationSettings settings) =>
        new() { Steps = settings.Steps, LearningRate = settings.LearningRate, BatchSize = settings.BatchSize, Seed = (ulong)context.Random.Next() };
}
