using Temper.Engine.Models;
using Temper.Engine.Training;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning;

/// <summary>How much a benign-looking row would move a model away from its refusals: higher is worse. An attacker selects by these scores, a filter drops by them.</summary>
public static class RowScores
{
    /// <summary>Bidirectional anchoring (He et al. 2024): s(z) = ⟨g_z, g_h⟩ - ⟨g_z, g_s1⟩ - ⟨g_z, g_s2⟩, gradients of the first tokens of the answers, each of unit length, means over the anchors.</summary>
    /// <param name="harmful">Answered forbidden requests.</param>
    /// <param name="safe">Sets of the same requests with safe answers; each counts -1.</param>
    /// <param name="tokens">T: answer tokens that count, in rows and anchors.</param>
    public static double[] Anchored(
        CausalModel model, IReadOnlyList<EncodedExample> rows, IReadOnlyList<EncodedExample> harmful, IReadOnlyList<IReadOnlyList<EncodedExample>> safe, int tokens,
        CancellationToken cancellationToken = default)
    {
        using var scope = NewDisposeScope();
        EncodedExample[] First(IReadOnlyList<EncodedExample> all) => [.. all.Select(r => r.FirstTargets(tokens))];
        // the score is linear in the anchors, so they are one direction
        var direction = RowFeatures.MeanDirection(model, First(harmful), cancellationToken);
        foreach (var set in safe)
        {
            direction.sub_(RowFeatures.MeanDirection(model, First(set), cancellationToken));
        }

        return [.. RowFeatures.Gradients(model, First(rows), [direction], cancellationToken).Select(g => g.Projections[0])];
    }

    /// <summary>Representation matching (He et al. 2024): the mean cosine of a row's last hidden state with those of the harmful anchors.</summary>
    public static double[] Represented(CausalModel model, IReadOnlyList<EncodedExample> rows, IReadOnlyList<EncodedExample> harmful, CancellationToken cancellationToken = default)
    {
        var anchors = RowFeatures.LastHidden(model, harmful, cancellationToken);
        return [.. RowFeatures.LastHidden(model, rows, cancellationToken).Select(row => anchors.Average(anchor => row.Zip(anchor, (x, y) => (double)x * y).Sum()))];
    }

    /// <summary>The squared norm of every row's gradient: self-influence as published before it was normalized; it picks very short answers.</summary>
    public static double[] SelfInfluence(CausalModel model, IReadOnlyList<EncodedExample> rows, CancellationToken cancellationToken = default) =>
        [.. RowFeatures.Gradients(model, rows, [], cancellationToken).Select(g => g.SquaredNorm)];

    /// <summary>Self-Inf-N (Guan et al. 2025): s(z) = log(||g_z||² + 1) + log(len + 1), len the supervised tokens of the answer.</summary>
    public static double[] NormalizedSelfInfluence(CausalModel model, IReadOnlyList<EncodedExample> rows, CancellationToken cancellationToken = default) =>
        [.. SelfInfluence(model, rows, cancellationToken).Zip(rows, (squared, row) => Math.Log(squared + 1) + Math.Log(row.Supervised.Count(s => s) + 1))];
}
