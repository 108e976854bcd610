using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>What a tuning has added to the linear layers since it began, whether it trains the weights or adapters: W + s B A - (W + s B A at the start), (out, in).</summary>
public sealed class LayerUpdates : IDisposable
{
    private readonly Dictionary<Linear, Tensor> _start = new(ReferenceEqualityComparer.Instance); // (out, in)
    private readonly Dictionary<Linear, Tensor> _factor = new(ReferenceEqualityComparer.Instance); // B, (out, r)

    private LayerUpdates(Linear[] layers)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        Layers = layers;
        foreach (var layer in layers)
        {
            _start[layer] = Effective(layer).clone().DetachFromDisposeScope();
            if (layer.Adapter is { } lora)
            {
                _factor[layer] = lora.B.detach().clone().DetachFromDisposeScope();
            }
        }
    }

    /// <summary>The layers that are trained: the adapted ones where any is adapted, else all.</summary>
    public IReadOnlyList<Linear> Layers { get; }

    public static LayerUpdates Since(CausalModel model) =>
        new([.. model.Linears.Any(l => l.Adapter is not null) ? model.Linears.Where(l => l.Adapter is not null) : model.Linears]);

    /// <summary>The update of a layer, (out, in), with a gradient where gradients are recorded.</summary>
    public Tensor Of(Linear layer)
    {
        using var scope = NewDisposeScope();
        return (Effective(layer) - _start[layer]).MoveToOuterDisposeScope();
    }

    /// <summary>Replaces the update by P times it, P (out, out). Of an adapter B takes P; that is exact for one that was new, B = 0, as the tuning began.</summary>
    public void Project(Linear layer, Tensor projector)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        if (layer.Adapter is { } lora)
        {
            lora.B.copy_(_factor[layer] + projector.mm(lora.B - _factor[layer]));
            return;
        }

        var weight = _start[layer] + projector.mm(Of(layer)); // (out, in)
        layer.Weight.copy_(layer.Transposed ? weight.t() : weight);
    }

    /// <summary>Keeps a step from what is no linear layer: embeddings, head, norms and biases, which adapters leave alone and full tuning does not.</summary>
    public static void FreezeOthers(CausalModel model, IReadOnlyDictionary<string, Tensor> trainable)
    {
        var layers = model.Linears.SelectMany(l => (Tensor?[])[l.Weight, l.Adapter?.A, l.Adapter?.B]).ToHashSet(ReferenceEqualityComparer.Instance);
        foreach (var weight in trainable.Values.Where(w => !layers.Contains(w)))
        {
            weight.grad = null;
        }
    }

    public void Dispose()
    {
        foreach (var tensor in _start.Values.Concat(_factor.Values))
        {
            tensor.Dispose();
        }
    }

    private static Tensor Effective(Linear layer)
    {
        var weight = layer.Transposed ? layer.Weight.t() : layer.Weight;
        return layer.Adapter is { } lora ? weight + (lora.B.mm(lora.A) * lora.Scale) : weight;
    }
}
