using Temper.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>AdamW with decoupled decay and bias correction (Loshchilov and Hutter 2019), as torch.optim.AdamW computes it.</summary>
public sealed class AdamW : IDisposable
{
    private readonly Slot[] slots;

    private sealed record Slot(string Name, Tensor Weight, Tensor First, Tensor Second, Tensor Steps);

    /// <param name="parameters">Name to leaf; the optimizer does not own them.</param>
    public AdamW(IReadOnlyDictionary<string, Tensor> parameters, double weightDecay)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        WeightDecay = weightDecay;
        slots = [.. parameters.Select(p => new Slot(
            p.Key, p.Value,
            zeros_like(p.Value).DetachFromDisposeScope(),
            zeros_like(p.Value).DetachFromDisposeScope(),
            zeros(1, ScalarType.Float32).DetachFromDisposeScope()))];
    }

    public double WeightDecay { get; }

    public double Beta1 { get; init; } = 0.9;

    public double Beta2 { get; init; } = 0.999;

    public double Epsilon { get; init; } = 1e-8;

    /// <summary>The live tensors of the state: moments and step count of every parameter.</summary>
    public IReadOnlyDictionary<string, Tensor> State => slots
        .SelectMany(s => new[] { ($"first/{s.Name}", s.First), ($"second/{s.Name}", s.Second), ($"steps/{s.Name}", s.Steps) })
        .ToDictionary(p => p.Item1, p => p.Item2, StringComparer.Ordinal);

    /// <summary>Updates every parameter that has a gradient.</summary>
    public void Step(double rate)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var live = new List<Slot>(slots.Length);
        var gradients = new List<Tensor>(slots.Length);
        foreach (var slot in slots)
        {
            if (slot.Weight.grad is { } gradient)
            {
                slot.Steps.add_(1);
                live.Add(slot);
                gradients.Add(gradient);
            }
        }

        if (live.Count > 0)
        {
            Dispatcher.FusedAdamW(
                [.. live.Select(s => s.Weight)], gradients, [.. live.Select(s => s.First)], [.. live.Select(s => s.Second)], [.. live.Select(s => s.Steps)],
                rate, Beta1, Beta2, WeightDecay, Epsilon);
        }
    }

    /// <summary>A copy of the state.</summary>
    public Snapshot Export() => Snapshot.Take(State);

    /// <summary>Takes over an exported state to the bit.</summary>
    /// <exception cref="TemperException">It belongs to other parameters.</exception>
    public void Import(Snapshot state) => state.Restore(State);

    public void Dispose()
    {
        foreach (var slot in slots)
        {
            slot.First.Dispose();
            slot.Second.Dispose();
            slot.Steps.Dispose();
        }
    }
}
