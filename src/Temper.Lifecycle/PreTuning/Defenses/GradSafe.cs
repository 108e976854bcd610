using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="GradSafe"/>.</summary>
public sealed record GradSafeSettings : RowFilterSettings
{
    /// <summary>Unsafe reference prompts, and as many safe ones.</summary>
    [Range(1, 1000)]
    public int References { get; init; } = 2;

    /// <summary>How much nearer than safe prompts unsafe ones must be to the reference in a row or column of a matrix for it to count.</summary>
    [Range(-2.0, 2.0)]
    public double Gap { get; init; } = 1;

    /// <summary>The mean cosine from which on a prompt is unsafe, 0.25 in the paper; null sets it by trusted rows.</summary>
    [Range(-1.0, 1.0)]
    public double? Threshold { get; init; }
}

/// <summary>GradSafe (Xie et al. 2024): the gradients of a compliant first word, in the rows and columns of the weight matrices that matter, point the same way for all unsafe prompts.</summary>
public sealed class GradSafe(GradSafeSettings settings) : ITechnique, IDataMap, IReadsModel
{
    public static Card Card { get; } = new(
        "grad-safe", "GradSafe", Phase.PreTuning, TechniqueRole.Defense, Touches.Data,
        "https://arxiv.org/abs/2402.13494", "Drops the rows whose prompts, answered with a compliant word, give gradients like those of unsafe prompts.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var model = context.RequireModel(Card.Id);
        if (context.Harmful.Count == 0 || context.Task.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found {context.Harmful.Count} complying and {context.Task.Count} trusted rows, expected some of both to refer to");
        }

        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var opening = context.Harmful.CountBy(r => r.Response.Split(' ', '.', ',')[0], StringComparer.Ordinal).MaxBy(c => c.Value).Key;
        var unsafePrompts = context.Harmful.Take(settings.References).ToArray();
        var safePrompts = context.Task.Take(settings.References).ToArray();
        IReadOnlyList<Tensor> Gradient(Example row) => ComplianceGradient(model, context, row, opening);
        var reference = Mean([.. unsafePrompts.Select(Gradient)]);
        float[] MeanSlices(Example[] prompts) => Average([.. prompts.Select(p => Slices(Gradient(p), reference))]);
        var (bad, good) = (MeanSlices(unsafePrompts), MeanSlices(safePrompts));
        var critical = Enumerable.Range(0, bad.Length).Where(i => bad[i] - good[i] > settings.Gap).ToArray();
        if (critical.Length == 0)
        {
            throw new TemperException($"{Card.Id}: gap: found no row or column of a matrix in which unsafe prompts are nearer by {settings.Gap}, expected one at least; a lower gap may help");
        }

        double[] Scores(IReadOnlyList<Example> all) => [.. all.Select(row =>
        {
            using var inner = NewDisposeScope();
            var cosines = Slices(Gradient(row), reference);
            return critical.Average(i => (double)cosines[i]);
        })];
        var bar = settings.Threshold ?? RowFilter.Quantile(Card.Id, Scores(RowFilter.Trusted(Card.Id, context, settings.TrustedRows)), 1 - settings.FalsePositives);
        return RowFilter.Above(rows, Scores(rows), bar, "likeness to unsafe prompts");
    }

    /// <summary>The cosine of every row and every column of each matrix with that of the reference; 0 where either is nothing.</summary>
    public static float[] Slices(IReadOnlyList<Tensor> gradients, IReadOnlyList<Tensor> reference)
    {
        using var scope = NewDisposeScope();
        Tensor[] cosines = [.. gradients.Zip(reference, (g, r) => new[] { 1, 0 }.Select(d => (g * r).sum(d) / (g.norm(d) * r.norm(d)).clamp_min(1e-12))).SelectMany(c => c)];
        return Checkpoint.Floats(cat(cosines, 0));
    }

    private static IReadOnlyList<Tensor> ComplianceGradient(CausalModel model, TechniqueContext context, Example row, string opening)
    {
        var (prompt, whole) = (context.Prompt(row.Question, "").Length, context.Prompt(row.Question, opening));
        var batch = Batch.Of([new EncodedExample(whole, [.. whole.Select((_, i) => i >= prompt)], row.Id).Cut(model.Config.MaxPositions)]);
        // a prompt that fills the window leaves nothing to answer with
        return batch.Supervised == 0 ? [.. model.Linears.Select(l => zeros_like(l.Weight))]
            : Gradients.Of(() => ResponseLoss.Mean(model, batch), [.. model.Linears.Select(l => l.Weight)]);
    }

    private static Tensor[] Mean(IReadOnlyList<Tensor>[] gradients) => [.. Enumerable.Range(0, gradients[0].Count).Select(i => stack([.. gradients.Select(g => g[i])]).mean([0]))];

    private static float[] Average(float[][] rows) => [.. Enumerable.Range(0, rows[0].Length).Select(i => rows.Average(r => r[i]))];
}
