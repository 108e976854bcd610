using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>The one place that knows which class runs which architecture.</summary>
public static class ModelFactory
{
    /// <summary>The parameters that a configuration calls for, in checkpoint order.</summary>
    public static IReadOnlyList<(string Name, long[] Shape)> Shapes(ModelConfig config) =>
        [.. config.Architecture == Architecture.Llama ? Llama.Shapes(config) : Gpt2.Shapes(config)];

    /// <summary>A model over parameters that it then owns.</summary>
    public static CausalModel Create(ModelConfig config, IReadOnlyDictionary<string, Tensor> parameters) =>
        config.Architecture == Architecture.Llama ? new Llama(config, parameters) : new Gpt2(config, parameters);

    /// <summary>A model with the same weights, and nothing of the adapters.</summary>
    public static CausalModel Copy(CausalModel model)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        return Create(model.Config, model.Parameters.ToDictionary(p => p.Key, p => p.Value.detach().clone().DetachFromDisposeScope(), StringComparer.Ordinal));
    }

    /// <summary>A model with random weights: normal(0, 0.02), residual outputs scaled by 1/sqrt(2 L), norms one, biases zero.</summary>
    public static CausalModel CreateRandom(ModelConfig config, ulong seed)
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(seed);
        var residual = 0.02 / Math.Sqrt(2.0 * config.Layers);
        var parameters = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, shape) in Shapes(config))
        {
            var writesResidual = name.Contains("o_proj", StringComparison.Ordinal) || name.Contains("down_proj", StringComparison.Ordinal) || name.Contains("c_proj", StringComparison.Ordinal);
            var value = name.EndsWith(".bias", StringComparison.Ordinal) ? zeros(shape, ScalarType.Float32)
                : shape.Length == 1 ? ones(shape, ScalarType.Float32)
                : randn(shape, ScalarType.Float32, generator: generator).mul_(writesResidual ? residual : 0.02);
            parameters[name] = value.DetachFromDisposeScope();
        }

        return Create(config, parameters);
    }
}
