using Temper.Core;
using Temper.Engine.Training;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="CoordinateMedian"/>: none.</summary>
public sealed record CoordinateMedianSettings;

/// <summary>Coordinate-wise median (Yin et al. 2018): of every coordinate the server takes the middle value.</summary>
public sealed class CoordinateMedian : ITechnique, IHookSource
{
    public static Card Card { get; } = new(
        "coordinate-median", "Coordinate-wise median", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training,
        "https://arxiv.org/abs/1803.01498", "Takes the middle value of every coordinate of a federation's updates.");

    public TrainingHook CreateHook(TechniqueContext context) => new AggregationHook(Card.Id, RobustAggregation.Median);
}
