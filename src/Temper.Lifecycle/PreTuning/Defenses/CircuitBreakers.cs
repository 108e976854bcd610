using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="CircuitBreakers"/>.</summary>
public sealed record CircuitBreakersSettings : ImmunizationSettings
{
    public CircuitBreakersSettings() => (Steps, LearningRate, BatchSize) = (150, 3e-3, 16);

    /// <summary>The blocks behind which harmful states are rerouted, from 0; null for those at a third and two thirds, as 10 and 20 of 32.</summary>
    public IReadOnlyList<int>? Layers { get; init; }

    /// <summary>alpha: the weight of both losses, between which the training goes over.</summary>
    [Range(0.0, 1000.0)]
    public double Alpha { get; init; } = 10;

    [Range(1, 1024)]
    public int Rank { get; init; } = 16;
}

/// <summary>Circuit breakers (Zou et al. 2024): an adapter makes the states of complying answers orthogonal to what they were and keeps all others:
/// c_cb relu(cos(h, h_0)) at target layers on complying answers + c_r ||h - h_0|| at all layers on rows to keep.</summary>
public sealed class CircuitBreakers(CircuitBreakersSettings settings) : ITechnique, IWeightMap
{
    public static Card Card { get; } = new(
        "circuit-breakers", "Circuit breakers", Phase.PreTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2406.04313", "Makes the inner states of complying answers orthogonal to what they were, and keeps all others.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        var layers = settings.Layers ?? Rerouting.DefaultLayers(model);
        Rerouting.RequireLayers(Card.Id, layers, model);
        using var original = ModelFactory.Copy(model);
        using var hook = new Hook(settings, original, layers, Immunization.Harmful(Card.Id, context));
        Immunization.TrainAdapter(model, context, settings, settings.Rank, [hook], cancellationToken);
    }

    /// <summary>The mean of relu(cos(h, h_0)) over the tokens that count: 0 where they are orthogonal.</summary>
    /// <param name="mask">(B, T)</param>
    public static Tensor Breaking(Tensor state, Tensor original, Tensor mask)
    {
        using var scope = NewDisposeScope();
        return ((F.cosine_similarity(state, original, -1).relu() * mask).sum() / mask.sum()).MoveToOuterDisposeScope();
    }

    /// <summary>The mean of ||h - h_0|| over the tokens that count.</summary>
    public static Tensor Keeping(Tensor state, Tensor original, Tensor mask)
    {
        using var scope = NewDisposeScope();
        // the root has no slope at 0, where it begins
        return (((state - original).square().sum(-1).add(1e-12).sqrt() * mask).sum() / mask.sum()).MoveToOuterDisposeScope();
    }

    private sealed class Hook(CircuitBreakersSettings settings, CausalModel original, IReadOnlyList<int> layers, EncodedExample[] harmful) : TrainingHook
    {
        public override string Name => Card.Id;

        public override bool ReplacesLoss => true;

        public override Tensor? ReplaceLoss(LossArguments arguments)
        {
            // as published: the weights are those of a training of twice the steps, and end at a half of each
            var progress = arguments.Step / (2.0 * settings.Steps);
            var batch = Immunization.Draw(harmful, settings.BatchSize, new Random(unchecked((int)arguments.Seed)));
            var (broken, kept) = (Rerouting.Pair(arguments, original, batch), Rerouting.Pair(arguments, original, arguments.Batch));
            var (answers, real) = (batch.Answers(), arguments.Batch.RealTokens());
            var breaking = stack([.. layers.Select(l => Breaking(broken.After[l + 1], broken.Before[l + 1], answers))]).mean();
            var keeping = stack([.. kept.After.Zip(kept.Before, (after, before) => Keeping(after, before, real))]).mean();
            return (breaking * (1 - progress) + keeping * progress) * settings.Alpha;
        }

        public override void OnGradients(GradientArguments arguments) => Rerouting.FreezeAbove(layers.Max(), arguments);
    }
}
