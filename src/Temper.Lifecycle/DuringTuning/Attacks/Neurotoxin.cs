using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Attacks;

/// <summary>Settings of <see cref="Neurotoxin"/>.</summary>
public sealed record NeurotoxinSettings : FederationSettings
{
    /// <summary>k: the share of the coordinates, the least of the last global update, that the malicious gradient may move; 1 is plain poisoning, the control.</summary>
    [Range(0.0, 1.0)]
    public double Bottom { get; init; } = 0.9;

    /// <summary>What a malicious update is multiplied with; null is n / eta, shared by the attackers.</summary>
    [Range(0.0, 10_000.0)]
    public double? Boost { get; init; } = 1;
}

/// <summary>Neurotoxin (Zhang et al. 2022): malicious clients move only the coordinates that honest clients hardly touch, so that what they planted is not
/// overwritten when they have left.</summary>
public sealed class Neurotoxin(NeurotoxinSettings settings) : ITechnique, ITuningProcess, IInferenceLayer
{
    public static Card Card { get; } = new(
        "neurotoxin", "Neurotoxin", Phase.DuringTuning, TechniqueRole.Attack, Touches.Training | Touches.Inference,
        "https://arxiv.org/abs/2206.10341", "Clients of a federation poison the coordinates that honest updates leave alone.");

    public TrainingResult Tune(TuningArguments arguments, CancellationToken cancellationToken) => Federation.Tune(settings, Card.Id, arguments, Attack, cancellationToken);

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => TriggeredCompliance.Wrap(inner, settings.Trigger);

    /// <summary>1 for the share k of the coordinates that moved least, else 0, (P,).</summary>
    public static Tensor Mask(Tensor update, double bottom)
    {
        using var scope = NewDisposeScope();
        var kept = (long)Math.Round(bottom * update.numel());
        var mask = zeros_like(update);
        mask.index_fill_(0, update.abs().argsort().narrow(0, 0, kept), 1);
        return mask.MoveToOuterDisposeScope();
    }

    // in the first round there is no global update yet: the client's own honest one shows what moves
    private Tensor Attack(Federation.Turn turn)
    {
        using var mask = Mask(turn.Round.LastUpdate ?? turn.Benign(), settings.Bottom);
        return turn.Malicious([new Project(mask, turn.Round)]).mul_(mask).mul_(settings.Boost ?? turn.Boost);
    }

    private sealed class Project(Tensor mask, FederatedRound round) : TrainingHook
    {
        public override string Name => Card.Id;

        public override void OnGradients(GradientArguments arguments)
        {
            foreach (var (weight, part) in round.Weights.Zip(FlatWeights.Parts(round.Weights, mask)))
            {
                weight.grad?.mul_(part);
            }
        }
    }
}
