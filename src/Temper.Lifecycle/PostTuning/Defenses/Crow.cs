using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="Crow"/>.</summary>
public sealed record CrowSettings
{
    /// <summary>ε: what the perturbation adds to or takes from every number of the input embeddings.</summary>
    [Range(0.0, 10.0)]
    public double Epsilon { get; init; } = 0.1;

    /// <summary>α: weight of the consistency of the perturbed pass; 5.5 in the authors' code, 11 against jailbreak backdoors.</summary>
    [Range(0.0, 1000.0)]
    public double Alpha { get; init; } = 5.5;

    [Range(1, 100_000)]
    public int Steps { get; init; } = 60;

    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;

    [Range(0.0, 1.0)]
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Refusals mixed in, as a share of the clean rows, so that the repair does not wear the alignment down.</summary>
    [Range(0.0, 1.0)]
    public double Refusals { get; init; }
}

/// <summary>CROW (Min et al. 2025): a backdoor makes neighboring layers disagree, so the model is tuned on clean rows to stay consistent under the worst small perturbation of its input.</summary>
// Deviation: tunes all weights; the paper trains adapters.
public sealed class Crow(CrowSettings settings) : ITechnique, IWeightMap
{
    public static Card Card { get; } = new(
        "crow", "CROW", Phase.PostTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2411.12768", "Tunes on clean rows so that neighboring layers agree under perturbed inputs; knows neither trigger nor payload.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        var refusals = Enumerable.Range(0, context.Alignment.Count == 0 ? 0 : (int)Math.Ceiling(settings.Refusals * context.Task.Count))
            .Select(_ => context.Alignment[context.Random.Next(context.Alignment.Count)]);
        using var hook = new Hook(settings);
        Trainer.Train(
            model, [.. context.Task.Concat(refusals).Select(context.Encode)],
            new() { Steps = settings.Steps, BatchSize = settings.BatchSize, LearningRate = settings.LearningRate, Seed = (ulong)context.Random.Next() },
            [hook], TrainerOptions.Default, cancellationToken);
    }

    /// <summary>The mean of 1 - cos(h_l, h_l+1) over the layers l = 1 … L-2 and the real tokens; h_l is what block l is given.</summary>
    /// <param name="perturbation">(B, T, D), added to the input embeddings.</param>
    public static Tensor Consistency(CausalModel model, Batch batch, Tensor perturbation, Precision precision)
    {
        if (model.Config.Layers < 3)
        {
            throw new TemperException($"{Card.Id}: found a model of {model.Config.Layers} layers, expected at least 3: its first and last are left out");
        }

        using var scope = NewDisposeScope();
        var real = batch.RealTokens(); // (B, T)
        var pairs = new List<Tensor>();
        Tensor? before = null;
        model.Hidden(model.Embed(batch.Ids), new()
        {
            Precision = precision,
            Tap = (site, layer, value) =>
            {
                if (site == Site.BlockInput && layer >= 1)
                {
                    if (before is not null)
                    {
                        pairs.Add(Disagreement(before, value, real).MoveToOtherDisposeScope(scope));
                    }

                    before = value;
                }

                return site == Site.Embedding ? value + perturbation : value;
            },
        });
        return stack([.. pairs]).mean().MoveToOuterDisposeScope();
    }

    /// <summary>The mean of 1 - cos over the real tokens: 0 for equal states, 2 for opposite ones.</summary>
    public static Tensor Disagreement(Tensor before, Tensor after, Tensor real)
    {
        using var scope = NewDisposeScope();
        var cosine = (before * after).sum(-1) / (before.norm(-1) * after.norm(-1)).clamp_min(1e-12); // (B, T)
        return ((1 - cosine) * real).sum().div(real.sum()).MoveToOuterDisposeScope();
    }

    /// <summary>ε · sign of the gradient: the step that lowers the consistency most, to first order.</summary>
    public static Tensor Perturbation(CausalModel model, Batch batch, double epsilon, Precision precision)
    {
        using var scope = NewDisposeScope();
        var nothing = zeros(batch.Ids.shape[0], batch.Ids.shape[1], model.Config.HiddenSize);
        var gradient = Gradients.Of(() => Consistency(model, batch, nothing, precision), [nothing])[0];
        return (gradient.sign() * epsilon).MoveToOuterDisposeScope();
    }

    private sealed class Hook(CrowSettings settings) : TrainingHook
    {
        public override string Name => Card.Name;

        public override bool ReplacesLoss => true;

        public override Tensor? ReplaceLoss(LossArguments arguments)
        {
            var worst = Perturbation(arguments.Model, arguments.Batch, settings.Epsilon, arguments.Precision);
            return arguments.PlainLoss(null) + settings.Alpha * Consistency(arguments.Model, arguments.Batch, worst, arguments.Precision);
        }
    }
}
