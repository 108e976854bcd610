using Temper.Core;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Temper.Engine.Models;

/// <summary>Where a forward pass can be read and written (methods.md B0.2).</summary>
public enum Site { Embedding, BlockInput, AttentionOutput, MlpHidden, MlpOutput, FinalHidden }

/// <summary>Sees a value of the forward pass and returns it or its replacement. Layers count from 0; Embedding and FinalHidden have layer 0 and L.</summary>
public delegate Tensor ActivationTap(Site site, int layer, Tensor value);

/// <summary>How one forward pass runs.</summary>
public sealed record ForwardOptions
{
    public static ForwardOptions Default { get; } = new();

    public ActivationTap? Tap { get; init; }
    public Precision Precision { get; init; }
    public KeyValueCache? Cache { get; init; }

    /// <summary>(B, T) positions; null counts from the cache's length.</summary>
    public Tensor? Positions { get; init; }

    /// <summary>(B, 1, T, S) true where a query may look; null is causal.</summary>
    public Tensor? Mask { get; init; }
}

/// <summary>A decoder-only transformer over named parameters. The forward pass is functional: no state but the parameters.</summary>
public abstract class CausalModel(ModelConfig config, IReadOnlyDictionary<string, Tensor> parameters) : IDisposable
{
    public ModelConfig Config { get; } = config;

    /// <summary>Checkpoint key to fp32 leaf, in the order of the file.</summary>
    public IReadOnlyDictionary<string, Tensor> Parameters { get; } = parameters;

    /// <summary>Every linear layer of the blocks, in order.</summary>
    public abstract IReadOnlyList<Linear> Linears { get; }

    /// <summary>The token embedding, (V, D).</summary>
    public abstract Tensor EmbeddingWeight { get; }

    /// <summary>The output head, (V, D); the token embedding where tied.</summary>
    public abstract Tensor HeadWeight { get; }

    /// <summary>Token embeddings: (B, T) ids to (B, T, D).</summary>
    public Tensor Embed(Tensor ids) =>
        EmbeddingWeight.index_select(0, ids.reshape(-1)).reshape(ids.shape[0], ids.shape[1], Config.HiddenSize);

    /// <summary>The final normed hidden state, (B, T, D).</summary>
    public Tensor Hidden(Tensor embeddings, ForwardOptions options)
    {
        using var scope = NewDisposeScope();
        var (batch, length) = (embeddings.shape[0], embeddings.shape[1]);
        var start = options.Cache?.Length ?? 0;
        if (start + length > Config.MaxPositions)
        {
            throw new TemperException($"sequence of {start + length} tokens, expected at most {Config.MaxPositions} (max positions of the model)");
        }

        var tap = options.Tap ?? ((_, _, value) => value);
        var positions = options.Positions ?? arange(start, start + length, ScalarType.Int64).unsqueeze(0); // (B or 1, T)
        var x = tap(Site.Embedding, 0, Enter(embeddings, positions)); // (B, T, D)
        var state = Prepare(positions);
        for (var layer = 0; layer < Config.Layers; layer++)
        {
            x = Block(layer, tap(Site.BlockInput, layer, x), state, tap, options);
        }

        options.Cache?.Advance((int)length);
        return tap(Site.FinalHidden, Config.Layers, FinalNorm(x)).MoveToOuterDisposeScope();
    }

    /// <summary>(…, D) to (…, V).</summary>
    public Tensor Logits(Tensor hidden, Precision precision = Precision.Float32)
    {
        var logits = precision == Precision.Mixed
            ? F.linear(hidden.to(ScalarType.BFloat16), HeadWeight.to(ScalarType.BFloat16)).to(ScalarType.Float32)
            : MatrixProduct.Of(hidden, HeadWeight);
        return Config.LogitSoftcap is { } cap ? (logits / cap).tanh() * cap : logits;
    }

    /// <summary>What a state of the residual stream would say if it were the last, (…, D) to (…, V): the logit lens.</summary>
    public Tensor ReadOut(Tensor residual, Precision precision = Precision.Float32)
    {
        using var scope = NewDisposeScope();
        return Logits(FinalNorm(residual), precision).MoveToOuterDisposeScope();
    }

    /// <summary>(B, T) ids to (B, T, V) logits.</summary>
    public Tensor Forward(Tensor ids, ForwardOptions? options = null)
    {
        options ??= ForwardOptions.Default;
        using var scope = NewDisposeScope();
        return Logits(Hidden(Embed(ids), options), options.Precision).MoveToOuterDisposeScope();
    }

    /// <summary>What a family adds to the token embeddings.</summary>
    protected abstract Tensor Enter(Tensor embeddings, Tensor positions);

    /// <summary>What all blocks of one pass share.</summary>
    protected abstract Tensor[] Prepare(Tensor positions);

    protected abstract Tensor Block(int layer, Tensor x, Tensor[] state, ActivationTap tap, ForwardOptions options);

    protected abstract Tensor FinalNorm(Tensor x);

    /// <summary>Causal attention: q (B, H, T, d), k and v (B, KV, T, d) to (B, T, H·d), over the layer's window where it has one.</summary>
    protected Tensor Attend(int layer, Tensor q, Tensor k, Tensor v, ForwardOptions options)
    {
        var start = options.Cache?.Length ?? 0;
        if (options.Cache is { } cache)
        {
            (k, v) = cache.Append(layer, k, v);
        }

        var (batch, length) = (q.shape[0], q.shape[2]);
        if (Config.KeyValueHeads != Config.Heads)
        {
            (k, v) = (Repeat(k), Repeat(v));
        }

        if (options.Mask is null && start > 0 && length > 1)
        {
            throw new ArgumentException("several tokens after a filled cache need a mask", nameof(options));
        }

        // what follows divides by the square root of the head size
        if (Config.QueryScale is { } scale && scale != Config.HeadSize)
        {
            q = q * Math.Sqrt(Config.HeadSize / scale);
        }

        var mask = Config.WindowOf(layer) is > 0 and var window && window < k.shape[2] ? Windowed(options.Mask, start, length, window) : options.Mask;
        var y = Config.AttentionSoftcap is { } cap
            ? Softcapped(q, k, v, mask ?? (length > 1 ? Windowed(null, start, length, start + length) : null), cap)
            : F.scaled_dot_product_attention(q, k, v, mask, 0, mask is null && length > 1); // (B, H, T, d)
        return y.transpose(1, 2).reshape(batch, length, Config.Heads * Config.HeadSize);
    }

    /// <summary>True where a query may look: at what <paramref name="mask"/> allows and, itself counted, the last <paramref name="window"/> positions.</summary>
    private static Tensor Windowed(Tensor? mask, long start, long length, long window)
    {
        var query = arange(start, start + length, ScalarType.Int64).view(1, 1, -1, 1);
        var key = arange(0, start + length, ScalarType.Int64).view(1, 1, 1, -1);
        var near = (key <= query).logical_and(key > query - window); // (1, 1, T, S)
        return mask is null ? near : near.logical_and(mask);
    }

    /// <summary>Attention whose scores are c · tanh(score / c) (Gemma Team 2024).</summary>
    private Tensor Softcapped(Tensor q, Tensor k, Tensor v, Tensor? mask, double cap)
    {
        var scores = (q.matmul(k.transpose(-2, -1)) / (cap * Math.Sqrt(Config.HeadSize))).tanh() * cap; // (B, H, T, S)
        return F.softmax(mask is null ? scores : scores.masked_fill(mask.logical_not(), double.NegativeInfinity), -1).matmul(v);
    }

    protected Tensor Split(Tensor x, int heads) => x.view(x.shape[0], x.shape[1], heads, Config.HeadSize).transpose(1, 2);

    private Tensor Repeat(Tensor x) // (B, KV, S, d) to (B, H, S, d)
    {
        var (b, s) = (x.shape[0], x.shape[2]);
        long each = Config.Heads / Config.KeyValueHeads;
        return x.unsqueeze(2).expand(b, Config.KeyValueHeads, each, s, Config.HeadSize).reshape(b, Config.Heads, s, Config.HeadSize);
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        foreach (var parameter in Parameters.Values)
        {
            parameter.Dispose();
        }
    }
}
