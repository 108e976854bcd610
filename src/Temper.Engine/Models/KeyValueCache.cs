using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>Keys and values of every layer for a batch of sequences that grow together, (B, KV, capacity, d) each.</summary>
public sealed class KeyValueCache : IDisposable
{
    private readonly Tensor[] keys;
    private readonly Tensor[] values;

    public KeyValueCache(ModelConfig config, long batch, int capacity)
    {
        using var scope = NewDisposeScope();
        Tensor Make() => zeros([batch, config.KeyValueHeads, capacity, config.HeadSize], ScalarType.Float32).DetachFromDisposeScope();
        keys = [.. Enumerable.Range(0, config.Layers).Select(_ => Make())];
        values = [.. Enumerable.Range(0, config.Layers).Select(_ => Make())];
    }

    /// <summary>Tokens held so far.</summary>
    public int Length { get; private set; }

    internal (Tensor Keys, Tensor Values) Append(int layer, Tensor k, Tensor v)
    {
        var count = k.shape[2];
        keys[layer].narrow(2, Length, count).copy_(k);
        values[layer].narrow(2, Length, count).copy_(v);
        return (keys[layer].narrow(2, 0, Length + count), values[layer].narrow(2, 0, Length + count));
    }

    internal void Advance(int count) => Length += count;

    public void Dispose()
    {
        foreach (var t in keys.Concat(values))
        {
            t.Dispose();
        }
    }
}
