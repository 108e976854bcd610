using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Quantization;

/// <summary>A weight in few bits.</summary>
/// <param name="Codes">(out, in) int64.</param>
/// <param name="Values">(out, in) what the codes mean, in fp32.</param>
public sealed record QuantizedWeight(Tensor Codes, Tensor Values);

/// <summary>All full-precision values that a weight may take without changing any code, (out, in) each.</summary>
public sealed record WeightBox(Tensor Low, Tensor High);

/// <summary>A weight-only quantizer of linear layers, as bitsandbytes has them; embeddings, head, norms and biases stay as they are.</summary>
public abstract class WeightQuantizer
{
    /// <summary>Quantizes a weight, (out, in).</summary>
    public abstract QuantizedWeight Quantize(Tensor weight);

    /// <summary>The box of a weight, (out, in): it holds the weight itself, and the entries that set a scale may not move (Egashira et al. 2024).</summary>
    /// <param name="margin">The share of a code's width that is kept away from its borders, so that no rounding crosses one.</param>
    public WeightBox Box(Tensor weight, double margin = 0.01)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var (low, high, scale) = Bounds(weight, margin);
        var frozen = weight.abs().eq(scale);
        // the weight may lie in the margin itself; from there to the code's middle all is one code
        return new(
            where(frozen, weight, minimum(low, weight)).MoveToOuterDisposeScope(), where(frozen, weight, maximum(high, weight)).MoveToOuterDisposeScope());
    }

    /// <summary>Replaces the weights of all linear layers by what their codes mean.</summary>
    public void Apply(CausalModel model)
    {
        using var quiet = no_grad();
        foreach (var layer in model.Linears)
        {
            using var scope = NewDisposeScope();
            Rows(layer).copy_(Quantize(Rows(layer)).Values);
        }
    }

    /// <summary>A layer's weight as (out, in), in the same memory.</summary>
    public static Tensor Rows(Linear layer) => layer.Transposed ? layer.Weight.detach().t() : layer.Weight.detach();

    /// <summary>The borders of every entry's code and the largest absolute value that shares its scale, (out, in) each.</summary>
    protected abstract (Tensor Low, Tensor High, Tensor Scale) Bounds(Tensor weight, double margin);
}
