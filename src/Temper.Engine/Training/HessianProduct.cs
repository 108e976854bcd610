using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>H v, the second derivative of a loss along a direction, by central differences of its gradient: the model's fused operators have first derivatives only.</summary>
public static class HessianProduct
{
    /// <summary>One tensor for each parameter; the parameters are as before afterwards, to the bit.</summary>
    /// <param name="direction">v, in the shapes of the parameters.</param>
    /// <param name="radius">How far the parameters are moved along v, in all.</param>
    public static IReadOnlyList<Tensor> Of(Func<Tensor> loss, IReadOnlyList<Tensor> parameters, IReadOnlyList<Tensor> direction, double radius = 0.01)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var length = Math.Sqrt(direction.Sum(v => v.square().sum().to(ScalarType.Float64).item<double>()));
        if (length == 0)
        {
            return [.. parameters.Select(p => zeros_like(p).MoveToOuterDisposeScope())];
        }

        var step = radius / length;
        var kept = parameters.Select(p => p.detach().clone()).ToArray();
        IReadOnlyList<Tensor> At(double distance)
        {
            for (var i = 0; i < parameters.Count; i++)
            {
                parameters[i].copy_(kept[i] + (direction[i] * distance));
            }

            return Gradients.Of(loss, parameters);
        }

        try
        {
            var (ahead, behind) = (At(step), At(-step));
            return [.. ahead.Zip(behind, (a, b) => ((a - b) / (2 * step)).MoveToOuterDisposeScope())];
        }
        finally
        {
            for (var i = 0; i < parameters.Count; i++)
            {
                parameters[i].copy_(kept[i]);
            }
        }
    }
}
