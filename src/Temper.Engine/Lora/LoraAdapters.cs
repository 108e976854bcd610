using Temper.Core;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Lora;

/// <summary>Low-rank adapters on the linear layers of a model: W + alpha/r · B A (Hu et al. 2022). Owns the adapters; disposing detaches them.</summary>
public sealed class LoraAdapters : IDisposable
{
    private readonly Dictionary<Linear, Tensor> merged = new(ReferenceEqualityComparer.Instance); // the weights as they were, so that unmerging is exact
    private readonly Dictionary<Linear, LoraAdapter> kept = new(ReferenceEqualityComparer.Instance); // the adapters of merged layers
    private readonly Dictionary<string, Tensor> replaced = new(StringComparer.Ordinal); // what modules_to_save took the place of

    private LoraAdapters(CausalModel model, int rank, double alpha)
    {
        Model = model;
        Rank = rank;
        Alpha = alpha;
    }

    public CausalModel Model { get; }

    public int Rank { get; }

    public double Alpha { get; }

    public bool IsMerged => merged.Count > 0;

    /// <summary>Whether there is more to them than plain LoRA.</summary>
    public bool IsForeign => replaced.Count > 0 || Layers.Any(l => l.Adapter is { } lora && (lora.Magnitude is not null || lora.Scale != Alpha / Rank));

    /// <summary>The adapted layers, in model order.</summary>
    public IReadOnlyList<Linear> Layers => [.. Model.Linears.Where(l => l.Adapter is not null || merged.ContainsKey(l))];

    /// <summary>What is trained: A and B of every adapted layer.</summary>
    public IEnumerable<Tensor> Parameters => Model.Linears.Where(l => l.Adapter is not null).SelectMany(l => new[] { l.Adapter!.A, l.Adapter.B });

    /// <summary>Adapts the layers whose last name part is in <paramref name="targets"/>, all if empty. A is Kaiming-uniform as in PEFT, B zero, so nothing changes yet.</summary>
    public static LoraAdapters Attach(CausalModel model, int rank, double alpha, IReadOnlyCollection<string> targets, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed);
        var adapters = new LoraAdapters(model, rank, alpha);
        foreach (var layer in Select(model, targets))
        {
            var bound = 1 / Math.Sqrt(layer.InFeatures); // kaiming_uniform with a = sqrt(5)
            var a = rand([rank, layer.InFeatures], ScalarType.Float32, generator: generator).mul_(2 * bound).sub_(bound);
            adapters.Set(layer, a, zeros([layer.OutFeatures, rank], ScalarType.Float32));
        }

        return adapters;
    }

    /// <summary>Adapts layers with given factors: name to (A (r, in), B (out, r), magnitude (out)).</summary>
    /// <param name="scale">What B A is multiplied by.</param>
    /// <param name="saved">Whole parameters that the adapter brings along; disposing puts the model's own back.</param>
    internal static LoraAdapters Attach(
        CausalModel model, int rank, double alpha, double scale, IReadOnlyDictionary<string, (Tensor A, Tensor B, Tensor? Magnitude)> factors, IReadOnlyDictionary<string, Tensor> saved)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var adapters = new LoraAdapters(model, rank, alpha);
        foreach (var layer in model.Linears.Where(l => factors.ContainsKey(l.Name)))
        {
            var (a, b, magnitude) = factors[layer.Name];
            adapters.Set(layer, a, b, scale, magnitude);
        }

        foreach (var (name, value) in saved)
        {
            adapters.replaced[name] = model.Parameters[name].detach().clone().DetachFromDisposeScope();
            model.Parameters[name].copy_(value);
        }

        return adapters;
    }

    /// <summary>The weight-space update of a layer, in the layout of its weight.</summary>
    public Tensor Delta(Linear layer)
    {
        using var scope = NewDisposeScope();
        var lora = layer.Adapter ?? throw new ArgumentException($"{layer.Name} is not adapted", nameof(layer));
        var delta = lora.B.mm(lora.A) * lora.Scale; // (out, in)
        if (lora.Magnitude is not null)
        {
            var weight = layer.Transposed ? layer.Weight.t() : layer.Weight;
            delta = (weight + delta) * lora.Stretch(weight).unsqueeze(1) - weight;
        }

        return (layer.Transposed ? delta.t().contiguous() : delta).MoveToOuterDisposeScope();
    }

    /// <summary>Adds every update to its weight and takes the adapters out of the forward pass.</summary>
    public void Merge()
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        if (IsMerged)
        {
            throw new InvalidOperationException("the adapters are merged already");
        }

        foreach (var layer in Layers)
        {
            merged[layer] = layer.Weight.clone().DetachFromDisposeScope();
            layer.Weight.add_(Delta(layer));
            kept[layer] = layer.Adapter!;
            layer.Adapter = null;
        }
    }

    /// <summary>Undoes <see cref="Merge"/> to the bit.</summary>
    public void Unmerge()
    {
        using var quiet = no_grad();
        foreach (var (layer, weight) in merged)
        {
            layer.Weight.copy_(weight);
            weight.Dispose();
            layer.Adapter = kept[layer];
        }

        merged.Clear();
        kept.Clear();
    }

    /// <summary>Frees the adapters and puts replaced parameters back; merged weights stay merged, and what was replaced stays replaced with them.</summary>
    public void Dispose()
    {
        using var quiet = no_grad();
        foreach (var (name, value) in replaced)
        {
            if (!IsMerged)
            {
                Model.Parameters[name].copy_(value);
            }

            value.Dispose();
        }

        replaced.Clear();
        foreach (var weight in merged.Values)
        {
            weight.Dispose();
        }

        foreach (var lora in kept.Values)
        {
            lora.Dispose();
        }

        merged.Clear();
        kept.Clear();
        foreach (var layer in Model.Linears)
        {
            layer.Adapter?.Dispose();
            layer.Adapter = null;
        }
    }

    private static Linear[] Select(CausalModel model, IReadOnlyCollection<string> targets)
    {
        static string Last(Linear layer) => layer.Name[(layer.Name.LastIndexOf('.') + 1)..];
        var known = model.Linears.Select(Last).ToHashSet(StringComparer.Ordinal);
        if (targets.FirstOrDefault(t => !known.Contains(t)) is { } stranger)
        {
            throw new TemperException($"LoRA target: found {stranger}, expected one of: {string.Join(", ", known.Order(StringComparer.Ordinal))}");
        }

        return [.. model.Linears.Where(l => targets.Count == 0 || targets.Contains(Last(l)))];
    }

    private void Set(Linear layer, Tensor a, Tensor b, double? scale = null, Tensor? magnitude = null)
    {
        if (layer.Adapter is not null)
        {
            throw new InvalidOperationException($"{layer.Name} is adapted already");
        }

        layer.Adapter = new(a.DetachFromDisposeScope().requires_grad_(true), b.DetachFromDisposeScope().requires_grad_(true), scale ?? Alpha / Rank, magnitude?.DetachFromDisposeScope());
    }
}
