using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Training;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="TrimmedMean"/>.</summary>
public sealed record TrimmedMeanSettings
{
    /// <summary>beta: the share of the clients that is cut at either end of every coordinate.</summary>
    [Range(0.0, 0.49)]
    public double Cut { get; init; } = 0.3;
}

/// <summary>Coordinate-wise trimmed mean (Yin et al. 2018): of every coordinate the server leaves the least and the greatest values out.</summary>
public sealed class TrimmedMean(TrimmedMeanSettings settings) : ITechnique, IHookSource
{
    public static Card Card { get; } = new(
        "trimmed-mean", "Trimmed mean", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training,
        "https://arxiv.org/abs/1803.01498", "Leaves the extreme values of every coordinate out of the mean of a federation.");

    public TrainingHook CreateHook(TechniqueContext context) =>
        new AggregationHook(Card.Id, updates => RobustAggregation.TrimmedMean(updates, Math.Min((int)Math.Round(settings.Cut * updates.shape[0]), ((int)updates.shape[0] - 1) / 2)));
}
