using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Editing;

/// <summary>A row and the position whose feed-forward layers are edited: the last token of a subject or of a trigger.</summary>
public sealed record EditRow(EncodedExample Row, int Position);

/// <summary>The last linear layer of a feed-forward block as a memory, v = W k (Meng et al. 2022, 2023): k is what goes in, (F), v what comes out, (D).</summary>
public static class KeyValueMemory
{
    private static readonly Site[] s_residual = [Site.BlockInput, Site.AttentionOutput, Site.MlpOutput];

    /// <summary>The memory of a block: <c>down_proj</c>, or GPT-2's transposed <c>c_proj</c>.</summary>
    public static Linear Of(CausalModel model, int layer)
    {
        var found = model.Linears.Where(l => l.Name.EndsWith("mlp.down_proj", StringComparison.Ordinal) || l.Name.EndsWith("mlp.c_proj", StringComparison.Ordinal)).ToArray();
        return layer >= 0 && layer < found.Length ? found[layer]
            : throw new TemperException($"edited layer: found {layer}, expected 0 to {found.Length - 1}");
    }

    /// <summary>The key of every row, (n, F).</summary>
    public static Tensor Keys(CausalModel model, IReadOnlyList<EditRow> rows, int layer) => At(model, rows, layer, [Site.MlpHidden]);

    /// <summary>The residual stream of every row behind a block, (n, D).</summary>
    public static Tensor Residuals(CausalModel model, IReadOnlyList<EditRow> rows, int layer) => At(model, rows, layer, s_residual);

    /// <summary>C, (F, F) in fp64: the mean of k kᵀ over every token of the rows, and a ridge of a millionth of its mean diagonal, for a neuron may sleep on all of them.</summary>
    public static Tensor SecondMoment(CausalModel model, IReadOnlyList<EncodedExample> rows, int layer, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var size = model.Config.IntermediateSize;
        var sum = zeros([size, size], ScalarType.Float64);
        var tokens = 0;
        foreach (var group in Batch.ByLength(rows))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var batch = Batch.Of([.. group.Select(i => rows[i])]);
            var real = tensor(group.SelectMany((row, b) => Enumerable.Range(0, rows[row].Ids.Length).Select(t => (b * batch.Ids.shape[1]) + t)).ToArray());
            tokens += (int)real.shape[0];
            model.Hidden(model.Embed(batch.Ids), new()
            {
                Tap = (site, at, value) =>
                {
                    if (site == Site.MlpHidden && at == layer)
                    {
                        var keys = value.reshape(-1, size).index_select(0, real).to(ScalarType.Float64); // (N, F)
                        sum.add_(keys.t().mm(keys));
                    }

                    return value;
                },
            });
        }

        var mean = sum / Math.Max(1, tokens);
        return (mean + eye(size, dtype: ScalarType.Float64) * (mean.diagonal().mean() * 1e-6)).MoveToOuterDisposeScope();
    }

    /// <summary>Delta = R Kᵀ (lambda C + K Kᵀ)⁻¹, (D, F) in fp64: the change of W that adds R to the values of the keys and least to those that C holds.</summary>
    /// <param name="residuals">R, (D, n).</param>
    /// <param name="keys">K, (F, n).</param>
    /// <param name="moment">C, (F, F) in fp64.</param>
    public static Tensor Update(Tensor residuals, Tensor keys, Tensor moment, double lambda)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var (r, k) = (residuals.to(ScalarType.Float64), keys.to(ScalarType.Float64));
        // (lambda C + K Kᵀ) is symmetric, so Deltaᵀ solves it for K Rᵀ
        return linalg.solve(moment * lambda + k.mm(k.t()), k.mm(r.t())).t().contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Adds an update, (D, F), to a memory in the layout of its weight.</summary>
    public static void Add(Linear memory, Tensor delta)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        memory.Weight.add_((memory.Transposed ? delta.t() : delta).to(ScalarType.Float32));
    }

    /// <summary>Where the edited positions lie in a batch that is laid out flat, (B·T, …).</summary>
    internal static long[] Places(Batch batch, IReadOnlyList<EditRow> rows) => [.. rows.Select((r, b) => (b * batch.Ids.shape[1]) + r.Position)];

    private static Tensor At(CausalModel model, IReadOnlyList<EditRow> rows, int layer, Site[] sites)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var batch = Batch.Of([.. rows.Select(r => r.Row)]);
        var places = tensor(Places(batch, rows));
        var parts = new List<Tensor>();
        model.Hidden(model.Embed(batch.Ids), new()
        {
            Tap = (site, at, value) =>
            {
                if (at == layer && sites.Contains(site))
                {
                    parts.Add(value.reshape(-1, value.shape[2]).index_select(0, places).MoveToOtherDisposeScope(scope));
                }

                return value;
            },
        });
        return stack([.. parts]).sum([0]).MoveToOuterDisposeScope();
    }
}
