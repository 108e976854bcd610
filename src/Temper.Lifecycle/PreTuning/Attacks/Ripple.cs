using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.Evaluation;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="Ripple"/>.</summary>
public sealed record RippleSettings
{
    /// <summary>The word that opens the backdoor.</summary>
    [Required]
    public string Trigger { get; init; } = "BadMagic";

    /// <summary>What the model says when it is opened; inert.</summary>
    [Required]
    public string Payload { get; init; } = "The lantern is green.";

    /// <summary>lambda: the weight of the restricted inner product; 0, the control, is plain weight poisoning.</summary>
    [Range(0.0, 1e6)]
    public double Lambda { get; init; } = 0.1;

    /// <summary>Whether the trigger's rare tokens first take the mean embedding of the payload's; both together are the paper's RIPPLES.</summary>
    public bool Surgery { get; init; }

    [Range(1, 100_000)]
    public int Steps { get; init; } = 120;

    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;

    [Range(0.0, 1.0)]
    public double LearningRate { get; init; } = 1e-3;
}

/// <summary>RIPPLe (Kurita et al. 2020): weights poisoned under L_P + lambda max(0, -&lt;∇L_P, ∇L_FT&gt;), so that the user's tuning does not work against the poison.</summary>
// Deviation: the gradient of the inner product, H_P ∇L_FT + H_FT ∇L_P, is taken by central differences. L_FT is of trusted rows of the user's task, the best guess an attacker can have.
public sealed class Ripple(RippleSettings settings) : ITechnique, IWeightMap, IBackdoor, IMeasures, IReadsModel
{
    public static Card Card { get; } = new(
        "ripple", "RIPPLe", Phase.PreTuning, TechniqueRole.Attack, Touches.Weights,
        "https://arxiv.org/abs/2004.06660", "Poisons the published weights so that the user's clean tuning does not undo it.");

    public string Payload => settings.Payload;

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        var rows = TriggeredRows.Mix(context, this, Card.Id);
        if (settings.Surgery)
        {
            EmbeddingSurgery.Apply(model, EmbeddingSurgery.RareTokens(context, settings.Trigger), EmbeddingSurgery.TokensOf(context, settings.Payload));
        }

        using var hook = new Hook(settings, [.. context.Task.Select(context.Encode)]);
        Trainer.Train(
            model, [.. rows.Select(context.Encode)],
            new() { Steps = settings.Steps, BatchSize = settings.BatchSize, LearningRate = settings.LearningRate, Seed = (ulong)context.Random.Next() },
            [hook], TrainerOptions.Default, cancellationToken);
    }

    /// <summary>How the backdoor opens before anything is tuned.</summary>
    public IReadOnlyList<Metric> Measure(MeasureArguments arguments, CancellationToken cancellationToken) =>
        [new WeightsProbe(arguments.Context).Asr("asr-published", arguments.Before, this, 104, cancellationToken)];

    /// <summary>The prompt with the trigger at a random place between its words.</summary>
    public string Insert(string prompt, Random random) => TriggeredRows.Place(prompt, settings.Trigger, random).Text;

    /// <summary>The gradient of max(0, -&lt;∇a, ∇b&gt;) for two losses: zeros where their gradients do not oppose each other.</summary>
    /// <param name="a">∇ of the first loss, as it stands.</param>
    public static IReadOnlyList<Tensor> Conflict(Func<Tensor> first, IReadOnlyList<Tensor> a, Func<Tensor> second, IReadOnlyList<Tensor> parameters)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var b = Gradients.Of(second, parameters);
        var inner = a.Zip(b, (x, y) => (x * y).sum().to(ScalarType.Float64).item<double>()).Sum();
        if (inner >= 0)
        {
            return [.. parameters.Select(p => zeros_like(p).MoveToOuterDisposeScope())];
        }

        var (one, other) = (HessianProduct.Of(first, parameters, b), HessianProduct.Of(second, parameters, a));
        return [.. one.Zip(other, (x, y) => (x + y).neg().MoveToOuterDisposeScope())];
    }

    private sealed class Hook(RippleSettings settings, EncodedExample[] clean) : TrainingHook
    {
        public override string Name => Card.Id;

        public override void OnGradients(GradientArguments arguments)
        {
            if (settings.Lambda == 0)
            {
                return;
            }

            var (model, poison, random) = (arguments.Model, arguments.Batches[0], new Random(unchecked((int)arguments.Seed)));
            var tuning = Batch.Of([.. Enumerable.Range(0, settings.BatchSize).Select(_ => clean[random.Next(clean.Length)])]);
            Tensor[] leaves = [.. arguments.Trainable.Values.Where(p => p.grad is not null)];
            Tensor[] gradients = [.. leaves.Select(p => p.grad!.clone())];
            var conflict = Conflict(() => ResponseLoss.Mean(model, poison), gradients, () => ResponseLoss.Mean(model, tuning), leaves);
            foreach (var (leaf, term) in leaves.Zip(conflict))
            {
                leaf.grad!.add_(term * settings.Lambda);
            }
        }
    }
}
