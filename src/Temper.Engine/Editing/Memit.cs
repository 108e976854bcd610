using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Editing;

/// <summary>One association to write: rows whose keys and residuals are averaged, and the residual wanted behind the last edited block.</summary>
/// <param name="Target">Z, (D).</param>
public sealed record Edit(IReadOnlyList<EditRow> Rows, Tensor Target);

/// <summary>MEMIT (Meng et al. 2023): associations written into the memories of several blocks, each of which takes an equal part of what is still missing.</summary>
public static class Memit
{
    /// <summary>The residual that an edit wants: what it is on average, and <paramref name="delta"/>.</summary>
    public static Tensor Target(CausalModel model, IReadOnlyList<EditRow> rows, int layer, Tensor delta)
    {
        using var scope = NewDisposeScope();
        return (KeyValueMemory.Residuals(model, rows, layer).mean([0]) + delta).MoveToOuterDisposeScope();
    }

    /// <summary>Writes the edits in place.</summary>
    /// <param name="layers">Rising; the targets hold behind the last.</param>
    /// <param name="moments">C of every layer, (F, F) in fp64.</param>
    /// <param name="separate">Whether every edit is solved for by itself and the updates are summed, as BadEdit does; else all are solved for together.</param>
    public static void Apply(
        CausalModel model, IReadOnlyList<Edit> edits, IReadOnlyList<int> layers, IReadOnlyList<Tensor> moments, double lambda, bool separate, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        for (var i = 0; i < layers.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            Tensor Column(Func<Edit, Tensor> rows) => stack([.. edits.Select(e => rows(e).mean([0]))], 1);
            var keys = Column(e => KeyValueMemory.Keys(model, e.Rows, layers[i])); // K (F, n)
            var now = Column(e => KeyValueMemory.Residuals(model, e.Rows, layers[^1])); // H (D, n)
            var missing = (stack([.. edits.Select(e => e.Target)], 1) - now) / (layers.Count - i); // R (D, n)
            KeyValueMemory.Add(KeyValueMemory.Of(model, layers[i]), Solve(missing, keys, moments[i], lambda, separate));
        }
    }

    /// <summary>The update of one memory, (D, F): one solution for all columns, or the sum of one of rank 1 for each.</summary>
    public static Tensor Solve(Tensor residuals, Tensor keys, Tensor moment, double lambda, bool separate)
    {
        using var scope = NewDisposeScope();
        var updates = separate
            ? Enumerable.Range(0, (int)keys.shape[1]).Select(c => KeyValueMemory.Update(residuals.narrow(1, c, 1), keys.narrow(1, c, 1), moment, lambda)).ToArray()
            : [KeyValueMemory.Update(residuals, keys, moment, lambda)];
        return stack(updates).sum([0]).MoveToOuterDisposeScope();
    }
}
