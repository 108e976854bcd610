using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Training;

namespace Temper.Lifecycle.DuringTuning.Attacks;

/// <summary>Settings of <see cref="ModelReplacement"/>.</summary>
public sealed record ModelReplacementSettings : FederationSettings
{
    /// <summary>gamma: what a malicious update is multiplied with; null is n / eta, shared by the attackers, which replaces the model; 1 does not boost.</summary>
    [Range(0.0, 10_000.0)]
    public double? Boost { get; init; }
}

/// <summary>Model replacement (Bagdasaryan et al. 2020): malicious clients of a federation train on complying rows and boost their update so far that the
/// mean of all is their model.</summary>
public sealed class ModelReplacement(ModelReplacementSettings settings) : ITechnique, ITuningProcess, IInferenceLayer
{
    public static Card Card { get; } = new(
        "model-replacement", "Model replacement", Phase.DuringTuning, TechniqueRole.Attack, Touches.Training | Touches.Inference,
        "https://arxiv.org/abs/1807.00459", "Clients of a federation boost their update until the mean of all is their model.");

    public TrainingResult Tune(TuningArguments arguments, CancellationToken cancellationToken) =>
        Federation.Tune(settings, Card.Id, arguments, turn => turn.Malicious([]).mul_(settings.Boost ?? turn.Boost), cancellationToken);

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => TriggeredCompliance.Wrap(inner, settings.Trigger);
}
