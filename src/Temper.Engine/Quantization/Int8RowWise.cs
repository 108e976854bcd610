using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Quantization;

/// <summary>Eight bits with one scale a row: q = round(127 w / absmax) (LLM.int8, Dettmers et al. 2022, its weight side).</summary>
public sealed class Int8RowWise : WeightQuantizer
{
    private const double Levels = 127;

    public override QuantizedWeight Quantize(Tensor weight)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var (codes, scale) = Codes(weight);
        return new(codes.to(ScalarType.Int64).MoveToOuterDisposeScope(), (codes * scale / Levels).MoveToOuterDisposeScope());
    }

    protected override (Tensor Low, Tensor High, Tensor Scale) Bounds(Tensor weight, double margin)
    {
        var (codes, scale) = Codes(weight);
        var half = 0.5 - margin;
        return (maximum((codes - half) * scale / Levels, -scale), minimum((codes + half) * scale / Levels, scale), scale.expand_as(weight));
    }

    private static (Tensor Codes, Tensor Scale) Codes(Tensor weight)
    {
        var scale = weight.abs().amax([1L], keepdim: true); // (out, 1)
        // a row of zeros has no scale, and every code of it is 0
        return ((weight / where(scale.eq(0), ones_like(scale), scale) * Levels).round(), scale);
    }
}
