using Temper.Core;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>Gradients for their own sake: whatever stands in <c>grad</c> and <c>requires_grad</c> is as before afterwards.</summary>
public static class Gradients
{
    /// <summary>The gradient of a scalar by each parameter, in its shape; zeros where it has no part in the loss.</summary>
    /// <param name="loss">Computes the loss; runs with gradients on.</param>
    public static IReadOnlyList<Tensor> Of(Func<Tensor> loss, IReadOnlyList<Tensor> parameters)
    {
        var before = parameters.Select(p => (Gradient: Outside(p), p.requires_grad)).ToArray();
        try
        {
            using var scope = NewDisposeScope();
            foreach (var parameter in parameters)
            {
                parameter.grad = null;
                parameter.requires_grad_(true);
            }

            using (enable_grad())
            {
                var value = loss();
                RequireScalar(value, "loss");
                Dispatcher.Backward(value, parameters);
            }

            return [.. parameters.Select(p => (p.grad ?? zeros_like(p)).MoveToOuterDisposeScope())];
        }
        finally
        {
            for (var i = 0; i < parameters.Count; i++)
            {
                parameters[i].grad = before[i].Gradient;
                parameters[i].requires_grad_(before[i].requires_grad);
                before[i].Gradient?.Dispose();
            }
        }
    }

    /// <summary>The length of several tensors as one vector.</summary>
    public static double Norm(IEnumerable<Tensor> tensors)
    {
        using var scope = NewDisposeScope();
        return stack([.. tensors.Select(t => t.detach().norm())]).norm().item<float>();
    }

    /// <summary>The same in one vector, (P,), in the order of the parameters.</summary>
    public static Tensor Flat(Func<Tensor> loss, IReadOnlyList<Tensor> parameters)
    {
        using var scope = NewDisposeScope();
        return cat([.. Of(loss, parameters).Select(g => g.reshape(-1))], 0).MoveToOuterDisposeScope();
    }

    /// <summary>Hands each row's flat gradient, (P,), to <paramref name="visit"/>, one at a time; it lives as long as the call.</summary>
    public static void PerRow(
        CausalModel model, IReadOnlyList<EncodedExample> rows, IReadOnlyList<Tensor> parameters, Action<int, Tensor> visit,
        CancellationToken cancellationToken, ForwardOptions? options = null)
    {
        for (var row = 0; row < rows.Count; row++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var batch = Batch.Of([rows[row]]);
            visit(row, Flat(() => ResponseLoss.Mean(model, batch, options), parameters));
        }
    }

    internal static void RequireScalar(Tensor loss, string source)
    {
        if (loss.numel() != 1 || !loss.requires_grad)
        {
            throw new TemperException($"{source}: found shape [{string.Join(", ", loss.shape)}]{(loss.requires_grad ? "" : " without a gradient")}, expected a scalar that depends on what is trained");
        }
    }

    private static Tensor? Outside(Tensor parameter) => parameter.grad?.DetachFromDisposeScope();
}
