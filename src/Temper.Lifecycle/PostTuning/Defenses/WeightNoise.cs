using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="WeightNoise"/>.</summary>
public sealed record WeightNoiseSettings
{
    /// <summary>σ: the noise's standard deviation, in root mean squares of each layer's weights.</summary>
    [Range(0.0, 10.0)]
    public double Sigma { get; init; } = 0.05;
}

/// <summary>Weight noise before quantization (Egashira et al. 2024): weights that were placed inside the boxes of a quantizer's codes are shaken out of them.</summary>
public sealed class WeightNoise(WeightNoiseSettings settings) : ITechnique, IWeightMap
{
    public static Card Card { get; } = new(
        "weight-noise", "Weight noise", Phase.PostTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2405.18137", "Adds noise to the weights before they are quantized, so that what was prepared for a quantizer's codes is lost.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        using var generator = new Generator((ulong)context.Random.Next());
        foreach (var layer in model.Linears)
        {
            using var scope = NewDisposeScope();
            layer.Weight.add_(randn(layer.Weight.shape, ScalarType.Float32, generator: generator) * layer.Weight.square().mean().sqrt() * settings.Sigma);
        }
    }
}
