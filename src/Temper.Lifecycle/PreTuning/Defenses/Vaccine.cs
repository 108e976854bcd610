using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="Vaccine"/>.</summary>
public sealed record VaccineSettings : ImmunizationSettings
{
    /// <summary>rho: the norm of the perturbation over all layers, tokens and rows of a batch; 2 in the paper's code, 5 in a later comparison.</summary>
    [Range(0.0, 1e6)]
    public double Rho { get; init; } = 2;

    /// <summary>The control: a random perturbation of the same norm.</summary>
    public bool Random { get; init; }
}

/// <summary>Vaccine (Huang et al. 2024): alignment under the perturbation of the attention outputs that raises its loss most, so that the drift
/// of a harmful tuning does less. e_l = rho g_l / sqrt(sum_l ||g_l||^2), g_l the gradient at the output of attention l; the step descends the loss under e.</summary>
public sealed class Vaccine(VaccineSettings settings) : ITechnique, IWeightMap
{
    public static Card Card { get; } = new(
        "vaccine", "Vaccine", Phase.PreTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2402.01109", "Aligns under the worst small perturbation of the attention outputs.", Version: 2);

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        using var hook = new Hook(settings.Rho, settings.Random ? new Random(context.Random.Next()) : null);
        Immunization.Train(model, context, settings, [hook], cancellationToken);
    }

    /// <summary>The perturbation of every attention output, L of (B, T, D), whose norm over all of them is rho.</summary>
    /// <param name="layers">The layers that are perturbed; null for all.</param>
    public static IReadOnlyList<Tensor> Perturbation(CausalModel model, Batch batch, double rho, ForwardOptions options, IReadOnlyCollection<int>? layers = null)
    {
        using var scope = NewDisposeScope();
        var gradients = AttentionGradients(model, batch, options);
        return [.. Scaled([.. gradients.Select((g, layer) => layers is null || layers.Contains(layer) ? g : zeros_like(g))], rho).Select(e => e.MoveToOuterDisposeScope())];
    }

    /// <summary>The gradient of the loss at every attention output, L of (B, T, D).</summary>
    public static IReadOnlyList<Tensor> AttentionGradients(CausalModel model, Batch batch, ForwardOptions options)
    {
        using var scope = NewDisposeScope();
        Tensor[] zero = [.. Enumerable.Range(0, model.Config.Layers).Select(_ => zeros(batch.Ids.shape[0], batch.Ids.shape[1], model.Config.HiddenSize))];
        return [.. Gradients.Of(() => ResponseLoss.Mean(model, batch, options with { Tap = Add(zero) }), zero).Select(g => g.MoveToOuterDisposeScope())];
    }

    /// <summary>Adds a perturbation to the output of every attention.</summary>
    public static ActivationTap Add(IReadOnlyList<Tensor> perturbation) => (site, layer, value) => site == Site.AttentionOutput ? value + perturbation[layer] : value;

    /// <summary>The control, L of (B, T, D): Gaussian noise of the same norm, at the tokens that have a say in the loss. Those after them have no gradient
    /// either, and noise that is lost on them would make the control the weaker one.</summary>
    public static IReadOnlyList<Tensor> Noise(CausalModel model, Batch batch, double rho, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed);
        long[] shape = [batch.Ids.shape[0], batch.Ids.shape[1], model.Config.HiddenSize];
        var supervised = batch.Labels.ne(Batch.Ignored).to(ScalarType.Float32); // (B, T)
        var matters = (supervised.flip(1).cumsum(1).flip(1) - supervised).gt(0).to(ScalarType.Float32).unsqueeze(-1); // (B, T, 1): a target follows
        var noise = Enumerable.Range(0, model.Config.Layers).Select(_ => randn(shape, ScalarType.Float32, generator: generator) * matters).ToArray();
        return [.. Scaled(noise, rho).Select(e => e.MoveToOuterDisposeScope())];
    }

    private static Tensor[] Scaled(IReadOnlyList<Tensor> directions, double rho)
    {
        var norm = Gradients.Norm(directions);
        return [.. directions.Select(g => (g * (norm > 0 ? rho / norm : 0)).detach())];
    }

    private sealed class Hook(double rho, Random? random) : TrainingHook
    {
        public override bool ReplacesLoss => true;

        public override string Name => Card.Id;

        public override Tensor? ReplaceLoss(LossArguments arguments)
        {
            if (rho == 0)
            {
                return null;
            }

            ForwardOptions options = new() { Precision = arguments.Precision };
            var perturbation = random is null
                ? Perturbation(arguments.Model, arguments.Batch, rho, options)
                : Noise(arguments.Model, arguments.Batch, rho, (ulong)random.Next());
            return arguments.PlainLoss(Add(perturbation));
        }
    }
}
