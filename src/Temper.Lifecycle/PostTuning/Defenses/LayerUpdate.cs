using Temper.Core;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>What tuning added to a layer, and how much of it lies in the subspace of alignment V = W_aligned - W_unaligned.</summary>
/// <param name="Aligned">The layer before tuning, (out, in).</param>
/// <param name="Projected">The update, projected, (out, in).</param>
/// <param name="Cosine">Of the update and its projection.</param>
internal sealed record LayerUpdate(Linear Layer, Tensor Aligned, Tensor Projected, double Cosine)
{
    /// <summary>Of every layer that tuning changed.</summary>
    public static IReadOnlyList<LayerUpdate> Of(string technique, CausalModel model, TechniqueContext context, SafeLoraMode mode, double energy, CancellationToken cancellationToken)
    {
        var (aligned, unaligned) = (ByName(context.RequireModel(technique)), ByName(context.RequireUnaligned(technique)));
        var updates = new List<LayerUpdate>();
        foreach (var layer in model.Linears)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var (al, un) = (Matrix(technique, layer, aligned), Matrix(technique, layer, unaligned)); // (out, in)
            var delta = Turn(layer, layer.Weight) - al;
            if (delta.norm().item<float>() is var norm and > 0)
            {
                var projected = SafeLora.Projector(al - un, mode, energy).matmul(delta);
                var cosine = (projected * delta).sum().item<float>() / Math.Max(1e-30, norm * (double)projected.norm().item<float>());
                updates.Add(new(layer, al.MoveToOuterDisposeScope(), projected.MoveToOuterDisposeScope(), cosine));
            }
        }

        return updates;
    }

    public static Dictionary<string, Linear> ByName(CausalModel model) => model.Linears.ToDictionary(l => l.Name, StringComparer.Ordinal);

    /// <summary>The same layer of another model, (out, in).</summary>
    public static Tensor Matrix(string technique, Linear layer, Dictionary<string, Linear> others) =>
        others.GetValueOrDefault(layer.Name) is { } other && other.Weight.shape.AsSpan().SequenceEqual(layer.Weight.shape)
            ? Turn(other, other.Weight)
            : throw new TemperException($"{technique}: {layer.Name}: found no layer of that name and shape in the model compared with, expected the same architecture");

    /// <summary>(out, in) to the layout of the layer, or back.</summary>
    public static Tensor Turn(Linear layer, Tensor weight) => layer.Transposed ? weight.t() : weight;
}
