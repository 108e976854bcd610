using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="TargetedLat"/>.</summary>
public sealed record TargetedLatSettings : ImmunizationSettings
{
    /// <summary>ε: the largest length of the adversary's change at a position, in mean lengths of the residual stream at its layer; 0 is the control, plain training on the same rows.</summary>
    [Range(0.0, 100.0)]
    public double Epsilon { get; init; } = 0.3;

    /// <summary>Steps of the adversary; 16 in the paper.</summary>
    [Range(0, 1000)]
    public int AdversarySteps { get; init; } = 8;

    /// <summary>The length of the adversary's step, in ε.</summary>
    [Range(0.0, 10.0)]
    public double StepSize { get; init; } = 0.25;

    /// <summary>The blocks whose inputs the adversary changes, from 0, which is the embedding.</summary>
    [Required]
    public IReadOnlyList<int> Layers { get; init; } = [1];

    /// <summary>n: the last positions of the prompt that it changes.</summary>
    [Range(1, 64)]
    public int Positions { get; init; } = 4;

    /// <summary>The weight of refusing under attack.</summary>
    [Range(0.0, 1000.0)]
    public double Toward { get; init; } = 1;

    /// <summary>The weight of -log(1 - p) of the complying tokens under attack.</summary>
    [Range(0.0, 1000.0)]
    public double Away { get; init; } = 0.5;
}

/// <summary>Targeted latent adversarial training (Sheshadri et al. 2024): an adversary moves the residual stream of forbidden requests until the model would comply, and the
/// model is trained to refuse nevertheless, beside plain rows.</summary>
// Deviation: the adversary changes the end of the prompt, not all of it, and the whole model is trained in place of an adapter of rank 64.
public sealed class TargetedLat(TargetedLatSettings settings) : ITechnique, IWeightMap
{
    private const int MeasuredRows = 32;

    public static Card Card { get; } = new(
        "targeted-lat", "Targeted LAT", Phase.PreTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2407.15549", "Trains refusals while an adversary moves the residual stream toward complying answers.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        Rerouting.RequireLayers(Card.Id, settings.Layers, model);
        var complying = Immunization.Harmful(Card.Id, context);
        var refusing = Immunization.Refused(Card.Id, context).Select(context.Encode).ToArray();
        var lengths = Activations.MeanLengths(model, [.. context.Harmful.Take(MeasuredRows).Select(r => context.Prompt(r.Question, ""))]);
        using var hook = new Hook(
            settings, [.. complying.Zip(refusing, (bad, good) => (Row(bad), Row(good)))], [.. settings.Layers.Select(l => settings.Epsilon * lengths[l])], cancellationToken);
        Immunization.Train(model, context, settings, [hook], cancellationToken);
    }

    // the positions end where the answer begins
    private LatentRow Row(EncodedExample row) => Array.IndexOf(row.Supervised, true) - settings.Positions is >= 0 and var at ? new(row, at)
        : throw new TemperException($"{Card.Id}: positions: found {settings.Positions}, expected at most the tokens before the answer of row {row.RowId}");

    /// <summary>The mean of -log(1 - p) over the supervised tokens: 0 where none is likely.</summary>
    public static Tensor AwayFrom(Tensor logProbabilities)
    {
        using var scope = NewDisposeScope();
        return (1 - logProbabilities.exp()).clamp_min(1e-6).log().neg().mean().MoveToOuterDisposeScope();
    }

    private sealed class Hook(TargetedLatSettings settings, (LatentRow Complying, LatentRow Refusing)[] pairs, double[] radii, CancellationToken cancellationToken) : TrainingHook
    {
        public override string Name => Card.Id;

        public override Tensor? AddLoss(LossArguments arguments)
        {
            var (model, random) = (arguments.Model, new Random(unchecked((int)arguments.Seed)));
            var drawn = Enumerable.Range(0, settings.BatchSize / 2 + 1).Select(_ => pairs[random.Next(pairs.Length)]).ToArray();
            LatentRow[] complying = [.. drawn.Select(p => p.Complying)], refusing = [.. drawn.Select(p => p.Refusing)];
            FreeVectors[] vectors = [.. settings.Layers.Select(l => new FreeVectors(l, zeros(drawn.Length * settings.Positions, model.Config.HiddenSize)))];
            if (settings.Epsilon > 0)
            {
                Latents.Descend(model, complying, vectors, radii, settings.AdversarySteps, settings.StepSize, cancellationToken);
            }

            ForwardOptions Under(LatentRow[] rows, Batch batch) => new() { Precision = arguments.Precision, Tap = Latents.Tap(rows, vectors, batch.Ids.shape[1], shared: false) };
            var (bad, good) = (Batch.Of([.. complying.Select(r => r.Row)]), Batch.Of([.. refusing.Select(r => r.Row)]));
            return ResponseLoss.Mean(model, good, Under(refusing, good)) * settings.Toward
                + AwayFrom(ResponseLoss.LogProbs(model, bad, Under(complying, bad)).Values) * settings.Away;
        }
    }
}
