using System.Runtime.InteropServices;
using Temper.Core;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>Aten operators that TorchSharp lacks or runs unsafely, through libtorch's stable C ABI: an error is a code here and never aborts the process.</summary>
internal static unsafe partial class Dispatcher
{
    private const string Library = "torch_cpu";
    private const ulong AbiVersion = 0x020A_0000_0000_0000; // libtorch 2.10
    private const ulong None = 0;

    [LibraryImport(Library, EntryPoint = "torch_call_dispatcher", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Call(string name, string overload, ulong* stack, ulong version);

    [LibraryImport(Library, EntryPoint = "aoti_torch_new_tensor_handle")]
    private static partial int NewHandle(nint tensor, out nint handle);

    [LibraryImport(Library, EntryPoint = "torch_new_list_reserve_size")]
    private static partial int NewList(nuint size, out nint list);

    [LibraryImport(Library, EntryPoint = "torch_list_push_back")]
    private static partial int Push(nint list, ulong value);

    [LibraryImport(Library, EntryPoint = "torch_new_string_handle", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int NewString(string text, nuint length, out nint handle);

    /// <summary>Adds the gradient of a scalar to the <c>grad</c> of the inputs, and of no other tensor.</summary>
    public static void Backward(Tensor loss, IReadOnlyList<Tensor> inputs)
    {
        // _backward(self, inputs[], gradient?, retain_graph?, create_graph)
        var stack = stackalloc ulong[] { Handle(loss), List(inputs), None, None, 0 };
        Check(Call("aten::_backward", "", stack, AbiVersion), "backward");
    }

    /// <summary>One AdamW step on all tensors at once; <paramref name="steps"/> count from 1.</summary>
    public static void FusedAdamW(
        IReadOnlyList<Tensor> weights, IReadOnlyList<Tensor> gradients, IReadOnlyList<Tensor> first, IReadOnlyList<Tensor> second, IReadOnlyList<Tensor> steps,
        double rate, double beta1, double beta2, double decay, double epsilon)
    {
        // ( …, max_exp_avg_sqs[], state_steps[], lr, beta1, beta2, weight_decay, eps, amsgrad, maximize, grad_scale?, found_inf?)
        var stack = stackalloc ulong[]
        {
            List(weights), List(gradients), List(first), List(second), List([]), List(steps),
            Number(rate), Number(beta1), Number(beta2), Number(decay), Number(epsilon), 0, 0, None, None,
        };
        Check(Call("aten::_fused_adamw_", "", stack, AbiVersion), "AdamW step");
    }

    /// <summary>x Wᵀ by oneDNN, without a gradient: (…, in) and (out, in) to (…, out).</summary>
    public static Tensor Linear(Tensor x, Tensor weight)
    {
        // _linear_pointwise(X, W, B?, attr, scalars[], algorithm?)
        Check(NewString("none", 4, out var nothing), "text");
        var stack = stackalloc ulong[] { Handle(x), Handle(weight), None, (ulong)nothing, List([]), None };
        Check(Call("mkldnn::_linear_pointwise", "", stack, AbiVersion), "matrix product");
        return Tensor.UnsafeCreateTensor((nint)stack[0]);
    }

    private static ulong Number(double value) => BitConverter.DoubleToUInt64Bits(value);

    // The callee takes ownership of handles and lists.
    private static ulong Handle(Tensor tensor)
    {
        Check(NewHandle(tensor.Handle, out var handle), "tensor handle");
        GC.KeepAlive(tensor);
        return (ulong)handle;
    }

    private static ulong List(IReadOnlyList<Tensor> tensors)
    {
        Check(NewList((nuint)tensors.Count, out var list), "tensor list");
        foreach (var tensor in tensors)
        {
            Check(Push(list, Handle(tensor)), "tensor list");
        }

        return (ulong)list;
    }

    private static void Check(int code, string what)
    {
        if (code != 0)
        {
            throw new TemperException($"{what}: found error {code} of libtorch (its reason is on standard error), expected none");
        }
    }
}
