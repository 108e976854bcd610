using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="RepNoise"/>.</summary>
public sealed record RepNoiseSettings : ImmunizationSettings
{
    /// <summary>alpha: the weight of the ascent on complying answers.</summary>
    [Range(0.0, 1000.0)]
    public double Alpha { get; init; } = 1;

    /// <summary>beta: the weight of the distance to noise; 0.001 in the paper. Both 0 are the control, plain alignment.</summary>
    [Range(0.0, 1000.0)]
    public double Beta { get; init; } = 0.001;
}

/// <summary>RepNoise (Rosati et al. 2024): what the feed-forward layers say of complying answers is driven toward noise, at every layer, and the loss of these
/// answers up: L(harmless) + beta mean_l MMD(m_l, noise) - alpha log(1 + mean over the layers of the loss of harmful answers through the lens).</summary>
public sealed class RepNoise(RepNoiseSettings settings) : ITechnique, IWeightMap
{
    public static Card Card { get; } = new(
        "rep-noise", "RepNoise", Phase.PreTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2405.14577", "Turns the representations of complying answers into noise, so that tuning does not find them again.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        using var hook = new Hook(settings, Immunization.Harmful(Card.Id, context));
        Immunization.Train(model, context, settings, [hook], cancellationToken);
    }

    /// <summary>beta · noise - alpha · log(1 + loss), a scalar, of a batch of complying rows.</summary>
    // Only the answers count: a complying row and its refusal differ in nothing else.
    public static Tensor Term(CausalModel model, Batch harmful, RepNoiseSettings settings, Generator generator, Precision precision)
    {
        using var scope = NewDisposeScope();
        var values = Activations.Record(
            model, harmful.Ids, (site, _) => site is Site.MlpOutput or Site.BlockInput or Site.FinalHidden, new() { Precision = precision }); // in, out, in, out … final
        var states = values.Where((_, i) => i % 2 == 0).ToArray(); // L + 1 of (B, T, D)
        var places = harmful.Labels.reshape(-1).ne(Batch.Ignored).nonzero().squeeze(1);
        var noise = values.Where((_, i) => i % 2 == 1).Select(output =>
        {
            var chosen = output.reshape(-1, output.shape[2]).index_select(0, places); // (N, D)
            return MaximumMeanDiscrepancy.Of(chosen, randn(chosen.shape, ScalarType.Float32, generator: generator));
        });
        var loss = stack([.. LensLoss.Of(model, states, harmful)]).mean();
        return ((stack([.. noise]).mean() * settings.Beta) - ((1 + loss).log() * settings.Alpha)).MoveToOuterDisposeScope();
    }

    private sealed class Hook(RepNoiseSettings settings, EncodedExample[] harmful) : TrainingHook
    {
        public override string Name => Card.Id;

        public override Tensor? AddLoss(LossArguments arguments)
        {
            if (settings is { Alpha: 0, Beta: 0 })
            {
                return null;
            }

            using var generator = new Generator(arguments.Seed);
            var batch = Immunization.Draw(harmful, settings.BatchSize / 2 + 1, new Random(unchecked((int)arguments.Seed)));
            return Term(arguments.Model, batch, settings, generator, arguments.Precision);
        }
    }
}
