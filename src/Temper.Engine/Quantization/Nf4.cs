using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Temper.Engine.Quantization;

/// <summary>Four bits whose sixteen levels are the quantiles of a normal distribution, one scale a block of 64 (QLoRA, Dettmers et al. 2023).</summary>
// Deviation: the scales are not quantized in turn; a box would hold under double quantization too, since no scale moves.
public sealed class Nf4 : WeightQuantizer
{
    private const int Block = 64;

    /// <summary>The levels, as QLoRA gives them.</summary>
    public static IReadOnlyList<float> Levels { get; } =
    [
        -1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
        0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f,
    ];

    public override QuantizedWeight Quantize(Tensor weight)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var (codes, scale) = Codes(weight);
        var values = tensor(Levels.ToArray()).index_select(0, codes.reshape(-1)).reshape(weight.shape) * scale;
        return new(codes.MoveToOuterDisposeScope(), values.MoveToOuterDisposeScope());
    }

    protected override (Tensor Low, Tensor High, Tensor Scale) Bounds(Tensor weight, double margin)
    {
        var (codes, scale) = Codes(weight);
        var borders = Borders(); // 15
        float[] low = [-1, .. borders], high = [.. borders, 1];
        Tensor Of(float[] table, Func<float, float, float> inside) =>
            tensor(table.Select((_, i) => inside(low[i], high[i])).ToArray()).index_select(0, codes.reshape(-1)).reshape(weight.shape) * scale;
        return (Of(low, (l, h) => l + (float)margin * (h - l)), Of(high, (l, h) => h - (float)margin * (h - l)), scale);
    }

    private static float[] Borders() => [.. Levels.Zip(Levels.Skip(1), (a, b) => (a + b) / 2)];

    private static (Tensor Codes, Tensor Scale) Codes(Tensor weight)
    {
        var flat = weight.reshape(-1); // (P,)
        var padding = (Block - flat.numel() % Block) % Block;
        var blocks = F.pad(flat, [0, padding]).reshape(-1, Block);
        var scale = blocks.abs().amax([1L], keepdim: true).expand_as(blocks).reshape(-1).narrow(0, 0, flat.numel()).reshape(weight.shape);
        var normal = weight / where(scale.eq(0), ones_like(scale), scale);
        var codes = zeros_like(normal).to(ScalarType.Int64);
        foreach (var border in Borders())
        {
            codes.add_(normal.gt(border).to(ScalarType.Int64));
        }

        return (codes, scale);
    }
}
