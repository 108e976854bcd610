using System.Runtime.InteropServices;
using TorchSharp;
using static System.Numerics.Tensors.TensorPrimitives;
using static TorchSharp.torch;
using static TorchSharp.torch.autograd;

namespace Temper.Engine.Models;

/// <summary>Row-wise operators for which libtorch makes many passes over memory, in one pass, with their first derivatives.</summary>
// From primitives, RMSNorm and SwiGLU are a quarter of a small model's step; benchmarks/engine measures what this saves.
public static class Fused
{
    private const int RowsPerThread = 256;

    /// <summary>x / sqrt(mean(x²) + ε) · w (Zhang and Sennrich 2019): (…, D) and (D,) to (…, D).</summary>
    public static Tensor RmsNorm(Tensor x, Tensor weight, double epsilon)
    {
        if (!OnCpu(x) || !OnCpu(weight))
        {
            return x * (x * x).mean([-1], true).add(epsilon).rsqrt() * weight;
        }

        return is_grad_enabled() ? RmsNormFunction.apply(x.contiguous(), weight, epsilon) : RmsNormFunction.Forward(x.contiguous(), weight, epsilon).Y;
    }

    /// <summary>silu(gate) · up (Shazeer 2020) of both side by side: (…, 2F) to (…, F), in fp32 or bf16 as its input is; it computes in fp32.</summary>
    public static Tensor SwiGlu(Tensor gateAndUp)
    {
        if (gateAndUp.dtype is not (ScalarType.Float32 or ScalarType.BFloat16) || gateAndUp.device_type != DeviceType.CPU)
        {
            var halves = gateAndUp.chunk(2, -1);
            return nn.functional.silu(halves[0]) * halves[1];
        }

        return is_grad_enabled() ? SwiGluFunction.apply(gateAndUp.contiguous()) : SwiGluFunction.Forward(gateAndUp.contiguous());
    }

    private static bool OnCpu(Tensor tensor) => tensor.dtype == ScalarType.Float32 && tensor.device_type == DeviceType.CPU;

    internal static Span<float> Values(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    internal static Span<float> Row(Span<float> values, int row, int width) => values.Slice(row * width, width);

    /// <summary>As many as libtorch uses, and no more than pay.</summary>
    private static int Threads(int rows) => Math.Clamp(rows / RowsPerThread, 1, get_num_threads());

    /// <param name="run">Thread, first row and the one after the last.</param>
    internal static void ForRows(int rows, Action<int, int, int> run)
    {
        var threads = Threads(rows);
        if (threads == 1)
        {
            run(0, 0, rows);
            return;
        }

        Parallel.For(0, threads, i => run(i, (int)((long)rows * i / threads), (int)((long)rows * (i + 1) / threads)));
    }

    private sealed class RmsNormFunction : SingleTensorFunction<RmsNormFunction>
    {
        public override string Name => "RmsNorm";

        public static (Tensor Y, Tensor Scales) Forward(Tensor x, Tensor weight, double epsilon)
        {
            var width = (int)weight.shape[0];
            var rows = (int)(x.numel() / width);
            var (y, scales) = (empty_like(x), empty(rows));
            ForRows(rows, (_, first, end) =>
            {
                Span<float> input = Values(x), w = Values(weight), output = Values(y), scale = Values(scales);
                for (var row = first; row < end; row++)
                {
                    Span<float> from = Row(input, row, width), to = Row(output, row, width);
                    scale[row] = (float)(1 / Math.Sqrt((SumOfSquares<float>(from) / width) + epsilon));
                    Multiply(from, scale[row], to);
                    Multiply(to, w, to);
                }
            });
            return (y, scales);
        }

        public override Tensor forward(AutogradContext ctx, params object[] vars)
        {
            var (x, weight) = ((Tensor)vars[0], (Tensor)vars[1]);
            var (y, scales) = Forward(x, weight, (double)vars[2]);
            ctx.save_for_backward([x, weight, scales]);
            return y;
        }

        // with r the scale of a row: dx = r · (g w) - x · r³ / D · Σ (g w x), dw = Σ over the rows of g x r
        public override List<Tensor> backward(AutogradContext ctx, Tensor grad_output)
        {
            using var scope = NewDisposeScope(); // so that what forward saved is freed as backward goes
            var saved = ctx.get_saved_variables();
            var (x, weight, scales, gradient) = (saved[0], saved[1], saved[2], grad_output.contiguous());
            var width = (int)weight.shape[0];
            var rows = (int)(x.numel() / width);
            var (dx, dw) = (empty_like(x), zeros_like(weight));
            var sums = new float[Threads(rows)][];
            ForRows(rows, (thread, first, end) =>
            {
                Span<float> input = Values(x), w = Values(weight), scale = Values(scales), above = Values(gradient), output = Values(dx);
                var (sum, product) = (sums[thread] = new float[width], new float[width]);
                for (var row = first; row < end; row++)
                {
                    Span<float> from = Row(input, row, width), g = Row(above, row, width), to = Row(output, row, width);
                    var r = scale[row];
                    Multiply(g, from, product);
                    MultiplyAdd(product, r, sum, sum);
                    Multiply(g, w, to);
                    MultiplyAdd(from, -r * r * Dot<float>(product, w) / width, to, to);
                    Multiply(to, r, to);
                }
            });
            Array.ForEach(sums, sum => Add(Values(dw), sum, Values(dw))); // in the order of the threads, so that bits repeat
            return [dx.MoveToOuterDisposeScope(), dw.MoveToOuterDisposeScope(), null!];
        }
    }
}
