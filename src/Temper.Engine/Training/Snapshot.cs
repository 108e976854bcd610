using Temper.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>A copy of named tensors that can be put back to the bit.</summary>
public sealed class Snapshot : IDisposable
{
    private readonly Dictionary<string, Tensor> values = new(StringComparer.Ordinal);

    private Snapshot()
    {
    }

    public IReadOnlyDictionary<string, Tensor> Values => values;

    public static Snapshot Take(IReadOnlyDictionary<string, Tensor> tensors)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var snapshot = new Snapshot();
        foreach (var (name, tensor) in tensors)
        {
            snapshot.values[name] = tensor.detach().clone().DetachFromDisposeScope();
        }

        return snapshot;
    }

    /// <summary>Overwrites the copy with the present values of the same tensors.</summary>
    public void Renew(IReadOnlyDictionary<string, Tensor> tensors) => Copy(tensors, values);

    /// <summary>Puts the copy back into the tensors.</summary>
    /// <exception cref="TemperException">A name or a shape differs.</exception>
    public void Restore(IReadOnlyDictionary<string, Tensor> tensors) => Copy(values, tensors);

    public void Dispose()
    {
        foreach (var value in values.Values)
        {
            value.Dispose();
        }

        values.Clear();
    }

    private static void Copy(IReadOnlyDictionary<string, Tensor> from, IReadOnlyDictionary<string, Tensor> to)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, target) in to)
        {
            if (!from.TryGetValue(name, out var source) || !source.shape.AsSpan().SequenceEqual(target.shape))
            {
                throw new TemperException($"snapshot: tensor {name}: found {(source is null ? "nothing" : $"shape [{string.Join(", ", source.shape)}]")}, expected [{string.Join(", ", target.shape)}]");
            }

            target.copy_(source);
        }
    }
}
