using System.Runtime.InteropServices;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.autograd;
using F = TorchSharp.torch.nn.functional;

namespace Temper.Engine.Models;

/// <summary>x Wᵀ + b of a training, on the faster of libtorch's two libraries, with its first derivatives.</summary>
// MKL, which libtorch takes for fp32, holds its AVX-512 kernels back on processors that are not Intel's; oneDNN does not: per product 1.15 to 1.25 times as fast.
public static class MatrixProduct
{
    // oneDNN compiles a kernel for every new shape; below this many multiplications that is not won back
    private const long Worthwhile = 64 << 20;

    private static readonly bool s_has = RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64 && !OperatingSystem.IsMacOS();

    /// <summary>(…, in) and (out, in) to (…, out).</summary>
    public static Tensor Of(Tensor x, Tensor weight, Tensor? bias = null) =>
        s_has && is_grad_enabled() && x.dtype == ScalarType.Float32 && x.device_type == DeviceType.CPU && x.numel() * weight.shape[0] >= Worthwhile
            ? bias is null ? Function.apply(x, weight) : Function.apply(x, weight).add(bias)
            : F.linear(x, weight, bias);

    private sealed class Function : SingleTensorFunction<Function>
    {
        public override string Name => "MatrixProduct";

        public override Tensor forward(AutogradContext ctx, params object[] vars)
        {
            var (x, weight) = ((Tensor)vars[0], (Tensor)vars[1]);
            ctx.save_for_backward([x, weight]);
            return Dispatcher.Linear(x, weight);
        }

        public override List<Tensor> backward(AutogradContext ctx, Tensor grad_output)
        {
            using var scope = NewDisposeScope(); // so that what forward saved is freed as backward goes
            var saved = ctx.get_saved_variables();
            var (x, weight, g) = (saved[0], saved[1], grad_output.reshape(-1, grad_output.shape[^1]));
            var dx = x.requires_grad ? Dispatcher.Linear(g, weight.t()).reshape(x.shape) : null;
            // oneDNN is the slower of both here
            var dw = weight.requires_grad ? g.t().matmul(x.reshape(-1, x.shape[^1])) : null;
            return [dx?.MoveToOuterDisposeScope()!, dw?.MoveToOuterDisposeScope()!];
        }
    }
}
