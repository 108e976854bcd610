using Temper.Core;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Temper.Engine.Models;

/// <summary>A low-rank update of a linear layer: W + scale · B A (Hu et al. 2022), its rows stretched to a magnitude where there is one (DoRA, Liu et al. 2024).</summary>
/// <param name="A">(r, in)</param>
/// <param name="B">(out, r)</param>
/// <param name="Magnitude">(out), the length of each row of the result.</param>
public sealed record LoraAdapter(Tensor A, Tensor B, double Scale, Tensor? Magnitude = null) : IDisposable
{
    /// <summary>What each output is multiplied by; lengths count as constants, as in the paper's section 4.3.</summary>
    /// <param name="weight">(out, in)</param>
    public Tensor Stretch(Tensor weight)
    {
        using var scope = NewDisposeScope();
        using (no_grad())
        {
            var lengths = (weight + B.mm(A) * Scale).norm(1);
            return (Magnitude! / lengths).MoveToOuterDisposeScope();
        }
    }

    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
        Magnitude?.Dispose();
    }
}

/// <summary>A linear layer over parameters that the model owns.</summary>
/// <param name="Name">The checkpoint key without its <c>.weight</c>.</param>
/// <param name="Weight">(out, in), or (in, out) where <paramref name="Transposed"/>, as GPT-2's Conv1D keeps it.</param>
public sealed record Linear(string Name, Tensor Weight, Tensor? Bias, bool Transposed = false)
{
    /// <summary>The low-rank update in force, if any; owned by whoever attached it.</summary>
    public LoraAdapter? Adapter { get; set; }

    /// <summary>Sees what goes in, while it is set; it must not keep it.</summary>
    public Action<Tensor>? Input { get; set; }

    public long InFeatures => Weight.shape[Transposed ? 0 : 1];

    public long OutFeatures => Weight.shape[Transposed ? 1 : 0];

    /// <summary>(…, in) to (…, out).</summary>
    public Tensor Apply(Tensor x, Precision precision)
    {
        Input?.Invoke(x);
        var weight = Transposed ? Weight.t() : Weight;
        if (Adapter is not { } lora)
        {
            return Product(x, weight, Bias, precision);
        }

        var stretched = lora.Magnitude is not null;
        var y = Product(x, weight, stretched ? null : Bias, precision) + Product(Product(x, lora.A, null, precision), lora.B, null, precision) * lora.Scale;
        return !stretched ? y : Bias is null ? y * lora.Stretch(weight) : y * lora.Stretch(weight) + Bias;
    }

    /// <summary>Several layers over one input, their outputs side by side: one matrix product where none is adapted, which is what small models need to be fast.</summary>
    public static Tensor Together(Tensor x, Precision precision, params Linear[] layers) =>
        Array.Exists(layers, l => l.Adapter is not null || l.Input is not null || l.Transposed || l.Bias is not null)
            ? cat([.. layers.Select(l => l.Apply(x, precision))], -1)
            : Product(x, cat([.. layers.Select(l => l.Weight)], 0), null, precision);

    /// <summary>The same in the number format of the product: bf16 where mixed.</summary>
    public static Tensor TogetherAsComputed(Tensor x, Precision precision, params Linear[] layers) =>
        precision == Precision.Mixed && !Array.Exists(layers, l => l.Adapter is not null || l.Transposed || l.Bias is not null)
            ? F.linear(x.to(ScalarType.BFloat16), cat([.. layers.Select(l => l.Weight)], 0).to(ScalarType.BFloat16))
            : Together(x, precision, layers);

    private static Tensor Product(Tensor x, Tensor weight, Tensor? bias, Precision precision) => precision == Precision.Mixed
        ? F.linear(x.to(ScalarType.BFloat16), weight.to(ScalarType.BFloat16), bias?.to(ScalarType.BFloat16)).to(ScalarType.Float32)
        : MatrixProduct.Of(x, weight, bias);
}
