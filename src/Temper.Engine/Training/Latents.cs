using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>A row, and the first of the positions at which free vectors are added to it.</summary>
public sealed record LatentRow(EncodedExample Row, int At);

/// <summary>Vectors added to the input of a block.</summary>
/// <param name="Values">(n, D) shared by all rows, or (B·n, D) with n of each row's own.</param>
public sealed record FreeVectors(int Layer, Tensor Values);

/// <summary>The gradient by each of the free vectors, in their shapes, and the mean loss of every row.</summary>
public sealed record LatentGradient(IReadOnlyList<Tensor> Gradients, IReadOnlyList<float> Losses);

/// <summary>Descent on vectors in the residual stream, the weights fixed.</summary>
public static class Latents
{
    /// <summary>Gradients of the sum of the rows' losses: a row's own vectors see that row alone.</summary>
    /// <param name="shared">Whether all rows have the same vectors.</param>
    public static LatentGradient Gradient(CausalModel model, IReadOnlyList<LatentRow> rows, IReadOnlyList<FreeVectors> vectors, bool shared)
    {
        using var scope = NewDisposeScope();
        var batch = Batch.Of([.. rows.Select(r => r.Row)]);
        var length = batch.Ids.shape[1];
        var taps = vectors.Select(v =>
        {
            var each = (int)v.Values.shape[0] / (shared ? 1 : rows.Count);
            var places = tensor([.. rows.SelectMany((r, b) => Enumerable.Range(0, each).Select(k => (b * length) + r.At + k))]);
            return Add(v.Layer, () => shared ? v.Values.repeat(rows.Count, 1) : v.Values, places);
        }).ToArray();
        float[] losses = [];
        var gradients = Gradients.Of(
            () =>
            {
                var each = ResponseLoss.PerRow(model, batch, new() { Tap = (site, layer, value) => taps.Aggregate(value, (x, tap) => tap(site, layer, x)) });
                losses = each.detach().data<float>().ToArray();
                return each.sum();
            },
            [.. vectors.Select(v => v.Values)]);
        return new([.. gradients.Select(g => g.MoveToOuterDisposeScope())], losses);
    }

    /// <summary>Shortens every row that is longer than <paramref name="radius"/> to it.</summary>
    public static void Project(Tensor delta, double radius)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        delta.mul_((radius / delta.norm(1, keepdim: true).clamp_min(1e-12)).clamp_max(1));
    }

    /// <summary>Adds vectors, (N, D), to the input of a block.</summary>
    /// <param name="places">b·T + t of every vector, (N).</param>
    public static ActivationTap Add(int at, Func<Tensor> delta, Tensor places) => (site, layer, value) => site == Site.BlockInput && layer == at
        ? value.reshape(-1, value.shape[2]).index_add(0, places, delta(), 1).reshape(value.shape)
        : value;
}
