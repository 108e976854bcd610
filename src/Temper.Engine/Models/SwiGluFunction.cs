using System.Runtime.InteropServices;
using TorchSharp;
using static System.Numerics.Tensors.TensorPrimitives;
using static TorchSharp.torch;
using static TorchSharp.torch.autograd;

namespace Temper.Engine.Models;

/// <summary>The operator behind <see cref="Fused.SwiGlu"/>.</summary>
// Rows of bf16 are widened in the cache: as passes of their own over memory the conversions cost a tenth of a mixed step.
internal sealed class SwiGluFunction : SingleTensorFunction<SwiGluFunction>
{
    public override string Name => "SwiGlu";

    public static Tensor Forward(Tensor x)
    {
        var width = (int)(x.shape[^1] / 2);
        var y = empty([.. x.shape[..^1], width], x.dtype);
        Fused.ForRows((int)(x.numel() / (2 * width)), (_, first, end) =>
        {
            Rows input = new(x, 2 * width), output = new(y, width);
            for (var row = first; row < end; row++)
            {
                Span<float> both = input.Read(row), gate = both[..width], up = both[width..], to = output.Target(row);
                Sigmoid(gate, to);
                Multiply(to, gate, to);
                Multiply(to, up, to);
                output.Write(row);
            }
        });
        return y;
    }

    public override Tensor forward(AutogradContext ctx, params object[] vars)
    {
        ctx.save_for_backward([(Tensor)vars[0]]);
        return Forward((Tensor)vars[0]);
    }

    // with s = sigmoid(gate): dup = g · gate · s, dgate = g · up · s · (1 + gate · (1 - s)) = g · up · (s + gate · s · (1 - s))
    public override List<Tensor> backward(AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        var (x, gradient) = (ctx.get_saved_variables()[0], grad_output.contiguous());
        var width = (int)(x.shape[^1] / 2);
        var dx = empty_like(x);
        Fused.ForRows((int)(x.numel() / (2 * width)), (_, first, end) =>
        {
            Rows input = new(x, 2 * width), above = new(gradient, width), output = new(dx, 2 * width);
            Span<float> s = new float[width], silu = new float[width];
            for (var row = first; row < end; row++)
            {
                Span<float> both = input.Read(row), gate = both[..width], up = both[width..], g = above.Read(row);
                Span<float> to = output.Target(row), dgate = to[..width], dup = to[width..];
                Sigmoid(gate, s);
                Multiply(gate, s, silu);
                Multiply(g, silu, dup);
                Subtract(1f, s, dgate);
                MultiplyAdd(dgate, silu, s, dgate);
                Multiply(dgate, up, dgate);
                Multiply(dgate, g, dgate);
                output.Write(row);
            }
        });
        return [dx.MoveToOuterDisposeScope()];
    }

    /// <summary>The rows of a tensor as fp32: its own memory where it is fp32, else one buffer that is filled and written back.</summary>
    private readonly ref struct Rows
    {
        private readonly Span<float> values;
        private readonly Span<ushort> halves;
        private readonly float[] buffer;
        private readonly int width;

        public Rows(Tensor tensor, int width)
        {
            this.width = width;
            var narrow = tensor.dtype == ScalarType.BFloat16;
            values = narrow ? [] : Fused.Values(tensor);
            halves = narrow ? MemoryMarshal.Cast<byte, ushort>(tensor.bytes) : [];
            buffer = narrow ? new float[width] : [];
        }

        public Span<float> Target(int row) => buffer.Length == 0 ? Fused.Row(values, row, width) : buffer;

        public Span<float> Read(int row)
        {
            if (buffer.Length > 0)
            {
                BFloat16s.Widen(halves.Slice(row * width, width), buffer);
            }

            return Target(row);
        }

        public void Write(int row)
        {
            if (buffer.Length > 0)
            {
                BFloat16s.Narrow(buffer, halves.Slice(row * width, width));
            }
        }
    }
}
