using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>How a filter of rows is calibrated.</summary>
public abstract record RowFilterSettings
{
    /// <summary>The share of trusted rows that may be suspected; the bar is set by it.</summary>
    [Range(0.0, 1.0)]
    public double FalsePositives { get; init; } = 0.02;

    /// <summary>Trusted rows that are looked at.</summary>
    [Range(2, 100_000)]
    public int TrustedRows { get; init; } = 200;
}

/// <summary>How a copy of the model is tuned on the suspect rows, so that it shows what they teach.</summary>
public abstract record SuspectModelSettings : RowFilterSettings
{
    [Range(1, 100_000)]
    public int Steps { get; init; } = 80;

    [Range(1e-9, 1.0)]
    public double LearningRate { get; init; } = 7e-4;

    [Range(1, 4096)]
    public int BatchSize { get; init; } = 16;
}

/// <summary>What the filters share that score every row and drop those that score higher than trusted rows do.</summary>
internal static class RowFilter
{
    /// <summary>Trusted rows of the task by chance.</summary>
    /// <exception cref="TemperException">There are none.</exception>
    public static Example[] Trusted(string technique, TechniqueContext context, int count)
    {
        var rows = context.Task.ToArray();
        context.Random.Shuffle(rows);
        return rows.Length > 0 ? rows[..Math.Min(rows.Length, count)] : throw new TemperException($"{technique}: found no trusted rows, expected some to set the bar by");
    }

    /// <summary>Drops the rows of a score above the bar.</summary>
    public static DataMapResult Above(IReadOnlyList<Example> rows, IReadOnlyList<double> scores, double bar, string what) => new(
        [.. rows.Where((_, i) => scores[i] <= bar)],
        [.. rows.Index().Where(r => scores[r.Index] > bar).Select(r => new RowChange(r.Item.Id, RowFate.Dropped, $"{what} {scores[r.Index]:G3}, more than {bar:G3}"))]);

    /// <summary>The smallest value that a share <paramref name="q"/> of the values does not exceed.</summary>
    public static double Quantile(string technique, IEnumerable<double> values, double q)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0
            ? throw new TemperException($"{technique}: found no trusted rows, expected some to set the bar by")
            : sorted[Math.Clamp((int)Math.Ceiling(q * sorted.Length) - 1, 0, sorted.Length - 1)];
    }

    /// <summary>A copy of the model, tuned on the suspect rows; the caller disposes it.</summary>
    public static CausalModel Tune(CausalModel model, IReadOnlyList<EncodedExample> rows, SuspectModelSettings settings, ulong seed)
    {
        var copy = ModelFactory.Copy(model);
        Trainer.Train(
            copy, rows, new() { Steps = settings.Steps, BatchSize = settings.BatchSize, LearningRate = settings.LearningRate, Seed = seed }, [], TrainerOptions.Default, CancellationToken.None);
        return copy;
    }
}
