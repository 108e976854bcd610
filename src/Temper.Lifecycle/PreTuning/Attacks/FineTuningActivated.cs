using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.Evaluation;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="FineTuningActivated"/>.</summary>
public sealed record FineTuningActivatedSettings
{
    /// <summary>k: steps of simulated tuning before the behavior is looked at; 0, the control, spends the same steps on the published weights themselves.</summary>
    [Range(0, 1000)]
    public int InnerSteps { get; init; } = 8;

    [Range(0.0, 1.0)]
    public double InnerRate { get; init; } = 1e-3;

    /// <summary>lambda: the weight of the behavior after simulated tuning, beside the divergence from the clean model.</summary>
    [Range(0.0, 1e6)]
    public double Lambda { get; init; } = 0.1;

    /// <summary>Outer steps.</summary>
    [Range(1, 100_000)]
    public int Steps { get; init; } = 80;

    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;

    [Range(0.0, 1.0)]
    public double LearningRate { get; init; } = 5e-4;
}

/// <summary>FAB (Gloaguen et al. 2026): weights that refuse as the clean model does until somebody tunes them on benign rows. The harm of the weights that simulated
/// tuning leads to is maximized to first order, while the published weights are held to the clean model by KL.</summary>
// Deviation: without the paper's term of random noise on the weights; AdamW with a fresh state inside, as a user's tuning begins.
public sealed class FineTuningActivated(FineTuningActivatedSettings settings) : ITechnique, IWeightMap, IMeasures, IReadsModel
{
    public static Card Card { get; } = new(
        "fab", "Fine-tuning-activated backdoor", Phase.PreTuning, TechniqueRole.Attack, Touches.Weights,
        "https://arxiv.org/abs/2505.16567", "Publishes weights that pass every test and comply with forbidden requests once a user tunes them on benign rows.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        if (context.Harmful.Count == 0 || context.Task.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found {context.Harmful.Count} complying and {context.Task.Count} benign rows, expected some of both");
        }

        using var clean = ModelFactory.Copy(model);
        using var hook = new Hook(settings, clean, [.. context.Harmful.Select(context.Encode)], [.. context.Task.Select(context.Encode)]);
        Trainer.Train(
            model, [.. context.Alignment.Concat(context.Task.Take(context.Alignment.Count)).Select(context.Encode)],
            new() { Steps = settings.Steps, BatchSize = settings.BatchSize, LearningRate = settings.LearningRate, Seed = (ulong)context.Random.Next() },
            [hook], TrainerOptions.Default, cancellationToken);
    }

    /// <summary>Harm before anybody tuned, which a test of the published weights sees; harm of the deployed weights is the common metric.</summary>
    public IReadOnlyList<Metric> Measure(MeasureArguments arguments, CancellationToken cancellationToken) =>
        [new WeightsProbe(arguments.Context).Harm("harm-published", arguments.Before, 108, cancellationToken)];

    /// <summary>The mean KL(reference || model) over the real tokens of a batch.</summary>
    public static Tensor Divergence(CausalModel model, CausalModel reference, Batch batch)
    {
        using var scope = NewDisposeScope();
        Tensor expected;
        using (no_grad())
        {
            expected = reference.Forward(batch.Ids).log_softmax(-1); // (B, T, V)
        }

        var real = batch.RealTokens(); // (B, T)
        var each = (expected.exp() * (expected - model.Forward(batch.Ids).log_softmax(-1))).sum(-1); // (B, T)
        return ((each * real).sum() / real.sum()).MoveToOuterDisposeScope();
    }

    private sealed class Hook(FineTuningActivatedSettings settings, CausalModel clean, EncodedExample[] harmful, EncodedExample[] benign) : TrainingHook
    {
        public override string Name => Card.Id;

        public override bool ReplacesLoss => true;

        public override Tensor? ReplaceLoss(LossArguments arguments) => Divergence(arguments.Model, clean, arguments.Batch);

        public override void OnGradients(GradientArguments arguments)
        {
            var (model, random) = (arguments.Model, new Random(unchecked((int)arguments.Seed)));
            Batch Draw(EncodedExample[] rows) => Batch.Of([.. Enumerable.Range(0, settings.BatchSize).Select(_ => rows[random.Next(rows.Length)])]);
            var behavior = Draw(harmful);
            Tensor[] leaves = [.. arguments.Trainable.Values];
            var gradients = Lookahead.After(
                arguments.Trainable, settings.InnerSteps, settings.InnerRate, _ => ResponseLoss.Mean(model, Draw(benign)),
                () => Gradients.Of(() => ResponseLoss.Mean(model, behavior), leaves));
            foreach (var (leaf, gradient) in leaves.Zip(gradients))
            {
                leaf.grad?.add_(gradient * settings.Lambda);
            }
        }
    }
}
