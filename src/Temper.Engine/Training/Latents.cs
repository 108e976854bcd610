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
        var tap = Tap(rows, vectors, batch.Ids.shape[1], shared);
        float[] losses = [];
        var gradients = Gradients.Of(
            () =>
            {
                var each = ResponseLoss.PerRow(model, batch, new() { Tap = tap });
                losses = each.detach().data<float>().ToArray();
                return each.sum();
            },
            [.. vectors.Select(v => v.Values)]);
        return new([.. gradients.Select(g => g.MoveToOuterDisposeScope())], losses);
    }

    /// <summary>Adds the vectors to a forward pass over the rows; to be used in the scope that it is made in.</summary>
    /// <param name="length">T of the batch of the rows.</param>
    public static ActivationTap Tap(IReadOnlyList<LatentRow> rows, IReadOnlyList<FreeVectors> vectors, long length, bool shared)
    {
        var taps = vectors.Select(v =>
        {
            var each = (int)v.Values.shape[0] / (shared ? 1 : rows.Count);
            var places = tensor([.. rows.SelectMany((r, b) => Enumerable.Range(0, each).Select(k => (b * length) + r.At + k))]);
            return Add(v.Layer, () => shared ? v.Values.repeat(rows.Count, 1) : v.Values, places);
        }).ToArray();
        return (site, layer, value) => taps.Aggregate(value, (x, tap) => tap(site, layer, x));
    }

    /// <summary>Projected gradient descent on every row's own vectors toward its answer, within the ball of each layer's radius.</summary>
    /// <param name="stepSize">The length of a step, in radii.</param>
    public static void Descend(
        CausalModel model, IReadOnlyList<LatentRow> rows, IReadOnlyList<FreeVectors> vectors, IReadOnlyList<double> radii, int steps, double stepSize, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        for (var step = 0; step < steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var gradients = Gradient(model, rows, vectors, shared: false).Gradients;
            for (var i = 0; i < vectors.Count; i++)
            {
                var g = gradients[i]; // (B·n, D)
                vectors[i].Values.sub_(g / g.norm(1, keepdim: true).clamp_min(1e-12) * (stepSize * radii[i]));
                Project(vectors[i].Values, radii[i]);
            }
        }
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
