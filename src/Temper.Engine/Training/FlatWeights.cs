using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>Many weights as one vector.</summary>
public static class FlatWeights
{
    /// <summary>A copy of all values in one vector, (P,).</summary>
    public static Tensor Read(IReadOnlyList<Tensor> weights)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        Tensor[] parts = [.. weights.Select(w => w.detach().reshape(-1))];
        return (parts.Length == 1 ? parts[0].clone() : cat(parts, 0)).MoveToOuterDisposeScope(); // cat hands a single tensor back as it is
    }

    /// <summary>Puts a vector, (P,), into the weights.</summary>
    public static void Write(IReadOnlyList<Tensor> weights, Tensor flat)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (weight, part) in weights.Zip(Parts(weights, flat)))
        {
            weight.copy_(part);
        }
    }

    /// <summary>A vector, (P,), cut into the shapes of the weights.</summary>
    public static IEnumerable<Tensor> Parts(IReadOnlyList<Tensor> weights, Tensor flat) =>
        flat.split([.. weights.Select(w => w.numel())]).Zip(weights, (part, weight) => part.reshape(weight.shape));
}
