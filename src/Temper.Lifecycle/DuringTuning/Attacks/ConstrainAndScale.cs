using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Attacks;

/// <summary>Settings of <see cref="ConstrainAndScale"/>.</summary>
public sealed record ConstrainAndScaleSettings : FederationSettings
{
    /// <summary>alpha: the weight of the malicious task; the rest pulls towards the global weights.</summary>
    [Range(0.01, 1.0)]
    public double Alpha { get; init; } = 0.7;

    /// <summary>S: the largest norm of an update, in norms of an honest one; what a server that clips lets pass.</summary>
    [Range(0.0, 10_000.0)]
    public double Bound { get; init; } = 1;
}

/// <summary>Constrain-and-scale (Bagdasaryan et al. 2020): malicious clients train under alpha L_class + (1 - alpha) L_ano, L_ano the squared distance from the
/// global weights, and boost the update only as far as an anomaly detector allows.</summary>
public sealed class ConstrainAndScale(ConstrainAndScaleSettings settings) : ITechnique, ITuningProcess, IInferenceLayer
{
    public static Card Card { get; } = new(
        "constrain-and-scale", "Constrain-and-scale", Phase.DuringTuning, TechniqueRole.Attack, Touches.Training | Touches.Inference,
        "https://arxiv.org/abs/1807.00459", "Clients of a federation poison it with updates no longer than honest ones.");

    public TrainingResult Tune(TuningArguments arguments, CancellationToken cancellationToken) => Federation.Tune(settings, Card.Id, arguments, Attack, cancellationToken);

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => TriggeredCompliance.Wrap(inner, settings.Trigger);

    private Tensor Attack(Federation.Turn turn)
    {
        var allowed = settings.Bound * turn.Benign().norm().item<float>();
        var update = turn.Malicious([new Pull(settings.Alpha, turn.Round)]);
        return update.mul_(Scale(update.norm().item<float>(), allowed, turn.Boost));
    }

    /// <summary>The boost of model replacement, cut to what the bound allows.</summary>
    public static double Scale(double norm, double allowed, double boost) => norm == 0 ? boost : Math.Min(boost, allowed / norm);

    private sealed class Pull(double alpha, FederatedRound round) : TrainingHook
    {
        public override string Name => Card.Id;

        /// <summary>The gradient of alpha L + (1 - alpha) ||w - w_global||^2, divided by alpha, which AdamW does not feel.</summary>
        public override void OnGradients(GradientArguments arguments)
        {
            foreach (var (weight, global) in round.Weights.Zip(FlatWeights.Parts(round.Weights, round.Global)))
            {
                weight.grad?.add_((weight - global) * (2 * (1 - alpha) / alpha));
            }
        }
    }
}
