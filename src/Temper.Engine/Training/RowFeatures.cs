using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>What the gradient of one row's loss is like.</summary>
/// <param name="SquaredNorm">||g||²: its self-influence.</param>
/// <param name="Projections">The inner products of g / ||g|| with the directions asked about.</param>
public sealed record RowGradient(double SquaredNorm, IReadOnlyList<double> Projections);

/// <summary>Rows as a model sees them: by their gradients and by their last hidden state. What data selection and data filters rank by.</summary>
public static class RowFeatures
{
    /// <summary>Every row's gradient by all parameters, told by its norm and its inner products with <paramref name="directions"/>, each (P,).</summary>
    public static IReadOnlyList<RowGradient> Gradients(CausalModel model, IReadOnlyList<EncodedExample> rows, IReadOnlyList<Tensor> directions, CancellationToken cancellationToken = default)
    {
        var found = new RowGradient[rows.Count];
        Training.Gradients.PerRow(model, rows, [.. model.Parameters.Values], (row, gradient) =>
        {
            var norm = gradient.norm().item<float>();
            found[row] = new((double)norm * norm, [.. directions.Select(d => norm == 0 ? 0 : gradient.dot(d).item<float>() / norm)]);
        }, cancellationToken);
        return found;
    }

    /// <summary>The mean of the rows' gradients, each brought to length 1 first: (P,), at most 1 long.</summary>
    public static Tensor MeanDirection(CausalModel model, IReadOnlyList<EncodedExample> rows, CancellationToken cancellationToken = default)
    {
        RequireRows(rows);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var sum = zeros(model.Parameters.Values.Sum(p => p.numel()));
        Training.Gradients.PerRow(model, rows, [.. model.Parameters.Values], (_, gradient) => sum.add_(gradient / gradient.norm().clamp_min(1e-12)), cancellationToken);
        return sum.div_(rows.Count).MoveToOuterDisposeScope();
    }

    /// <summary>The final hidden state at every row's last supervised token, each brought to length 1.</summary>
    public static IReadOnlyList<float[]> LastHidden(CausalModel model, IReadOnlyList<EncodedExample> rows, CancellationToken cancellationToken = default) =>
        Hidden(model, rows, row => Array.LastIndexOf(row.Supervised, true), cancellationToken: cancellationToken);

    /// <summary>A hidden state of every row, each brought to length 1.</summary>
    /// <param name="place">The position in a row; one before it is its first.</param>
    /// <param name="state">Which of the L + 1 states: 0 is the embedding, l what block l - 1 gives; null for the final one.</param>
    public static IReadOnlyList<float[]> Hidden(
        CausalModel model, IReadOnlyList<EncodedExample> rows, Func<EncodedExample, int> place, int? state = null, CancellationToken cancellationToken = default)
    {
        using var quiet = no_grad();
        var found = new float[rows.Count][];
        foreach (var group in Batch.ByLength(rows))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var batch = Batch.Of([.. group.Select(i => rows[i])]);
            var hidden = Activations.States(model, batch.Ids)[state ?? model.Config.Layers]; // (B, T, D)
            foreach (var (row, i) in group.Index())
            {
                var chosen = hidden[row, Math.Max(0, place(rows[i]))];
                found[i] = Checkpoint.Floats(chosen / chosen.norm().clamp_min(1e-12));
            }
        }

        return found;
    }

    /// <summary>Where the answer opens: the position from which its first token is predicted.</summary>
    public static int Opening(EncodedExample row) => Array.IndexOf(row.Supervised, true) - 1;

    private static void RequireRows(IReadOnlyList<EncodedExample> rows)
    {
        if (rows.Count == 0)
        {
            throw new TemperException("anchors: found no rows, expected one at least");
        }
    }
}
