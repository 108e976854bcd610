using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="Krum"/>.</summary>
public sealed record KrumSettings
{
    /// <summary>f / n: the share of malicious clients that is reckoned with; the proof needs 2 f + 2 below n.</summary>
    [Range(0.0, 0.5)]
    public double Malicious { get; init; } = 0.3;

    /// <summary>m: updates of the best scores that are averaged; 1 is Krum, null is multi-Krum's n - f.</summary>
    [Range(1, 1000)]
    public int? Kept { get; init; }
}

/// <summary>Krum and multi-Krum (Blanchard et al. 2017): the server averages the updates that lie nearest to their n - f - 2 nearest neighbors.</summary>
public sealed class Krum(KrumSettings settings) : ITechnique, IHookSource
{
    public static Card Card { get; } = new(
        "krum", "Krum", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training,
        "https://arxiv.org/abs/1703.02757", "Averages the updates of a federation that lie nearest to each other.");

    public TrainingHook CreateHook(TechniqueContext context) => new AggregationHook(Card.Id, Aggregate);

    private Tensor Aggregate(Tensor updates)
    {
        var n = (int)updates.shape[0];
        var malicious = (int)Math.Round(settings.Malicious * n);
        long[] kept = [.. RobustAggregation.KrumOrder(updates, malicious).Take(settings.Kept ?? Math.Max(1, n - malicious)).Select(i => (long)i)];
        return updates.index_select(0, tensor(kept)).mean([0]);
    }
}
