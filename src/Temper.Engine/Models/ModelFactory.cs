using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>Models of every family: from parameters, copied, or with random weights.</summary>
public static class ModelFactory
{
    // the layers that write into the residual stream
    private static readonly string[] s_outputs = ["o_proj", "out_proj", "down_proj", "c_proj", "attention.dense", "dense_4h_to_h", "fc2"];

    /// <summary>The parameters that a configuration calls for, in checkpoint order.</summary>
    public static IReadOnlyList<(string Name, long[] Shape)> Shapes(ModelConfig config) => [.. Family.Of(config).Shapes(config)];

    /// <summary>A model over parameters that it then owns.</summary>
    public static CausalModel Create(ModelConfig config, IReadOnlyDictionary<string, Tensor> parameters) => Family.Of(config).Create(config, parameters);

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
        var countsFromOne = config.Architecture is Architecture.Gemma2 or Architecture.Gemma3Text;
        var parameters = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, shape) in Shapes(config))
        {
            var writesResidual = Array.Exists(s_outputs, o => name.Contains(o, StringComparison.Ordinal));
            var value = name.EndsWith(".bias", StringComparison.Ordinal) || (countsFromOne && shape.Length == 1) ? zeros(shape, ScalarType.Float32)
                : shape.Length == 1 ? ones(shape, ScalarType.Float32)
                : randn(shape, ScalarType.Float32, generator: generator).mul_(writesResidual ? residual : 0.02);
            parameters[name] = value.DetachFromDisposeScope();
        }

        return Create(config, parameters);
    }
}
