using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="Booster"/>.</summary>
public sealed record BoosterSettings : ImmunizationSettings
{
    /// <summary>alpha: the length of the simulated harmful step, over all weights; 0.1 in the paper, on a model many times as long.</summary>
    [Range(0.0, 100.0)]
    public double Alpha { get; init; } = 0.01;

    /// <summary>lambda: the weight of what that step gains; 5 in the paper, and the term grows with alpha. 0 is the control, plain alignment.</summary>
    [Range(0.0, 1000.0)]
    public double Lambda { get; init; } = 50;
}

/// <summary>Booster (Huang et al. 2025): aligned weights at which a harmful step gains little. The step descends f(w) + lambda (h(w) - h(w - alpha g/||g||)),
/// g the gradient of the harmful loss h, to first order: the gradient of f plus lambda (g - g').</summary>
public sealed class Booster(BoosterSettings settings) : ITechnique, IWeightMap
{
    public static Card Card { get; } = new(
        "booster", "Booster", Phase.PreTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2409.01586", "Aligns where one step of harmful tuning lowers the harmful loss least.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        using var hook = new Hook(settings, Immunization.Harmful(Card.Id, context));
        Immunization.Train(model, context, settings, [hook], cancellationToken);
    }

    /// <summary>g - g', one tensor for each parameter; the parameters are as before afterwards, to the bit.</summary>
    public static IReadOnlyList<Tensor> Term(Func<Tensor> harmfulLoss, IReadOnlyDictionary<string, Tensor> parameters, double alpha)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        Tensor[] leaves = [.. parameters.Values];
        var gradients = Gradients.Of(harmfulLoss, leaves);
        var norm = Gradients.Norm(gradients);
        using var kept = Snapshot.Take(parameters);
        try
        {
            foreach (var (leaf, gradient) in leaves.Zip(gradients))
            {
                leaf.sub_(gradient * (norm > 0 ? alpha / norm : 0));
            }

            return [.. gradients.Zip(Gradients.Of(harmfulLoss, leaves), (g, moved) => (g - moved).MoveToOuterDisposeScope())];
        }
        finally
        {
            kept.Restore(parameters);
        }
    }

    private sealed class Hook(BoosterSettings settings, EncodedExample[] harmful) : TrainingHook
    {
        public override string Name => Card.Id;

        public override void OnGradients(GradientArguments arguments)
        {
            if (settings.Lambda == 0)
            {
                return;
            }

            var batch = Immunization.Draw(harmful, settings.BatchSize, new Random(unchecked((int)arguments.Seed)));
            var terms = Term(() => ResponseLoss.Mean(arguments.Model, batch, new() { Precision = arguments.Precision }), arguments.Trainable, settings.Alpha);
            foreach (var (leaf, term) in arguments.Trainable.Values.Zip(terms))
            {
                leaf.grad?.add_(term * settings.Lambda);
            }
        }
    }
}
