using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="SpectralSignatures"/>.</summary>
public sealed record SpectralSignaturesSettings
{
    /// <summary>ε: the largest share of poisoned rows that is reckoned with; 1.5 ε of all rows are dropped.</summary>
    [Range(0.0, 0.5)]
    public double Epsilon { get; init; } = 0.1;

    /// <summary>Whether directions in which trusted rows vary count for less; without it the task's own variety hides a poison of a few percent.</summary>
    public bool Whiten { get; init; } = true;

    /// <summary>Whether answers of one word, of two to four and of more are looked at apart, as the paper does with labels. Hides a poison that has a group to itself.</summary>
    public bool Grouped { get; init; }
}

/// <summary>Spectral signatures (Tran et al. 2018): poisoned rows lie far out along the top singular vector of the centered representations.</summary>
// Deviation: the representation is the untuned model's where it should end the answer; the paper first trains on the suspect rows.
public sealed class SpectralSignatures(SpectralSignaturesSettings settings) : ITechnique, IDataMap, IReadsModel
{
    private const double Ridge = 0.01;

    public static Card Card { get; } = new(
        "spectral-signatures", "Spectral signatures", Phase.PreTuning, TechniqueRole.Defense, Touches.Data,
        "https://arxiv.org/abs/1811.00636", "Drops the rows that lie farthest out along the top singular vector of the model's representations.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var model = context.RequireModel(Card.Id);
        if (rows.Count == 0)
        {
            return new(rows, []);
        }

        var h = Represent(model, rows, context); // (n, D)
        if (settings.Whiten)
        {
            h = Whiten(h, context.Task.Count > 1
                ? Represent(model, context.Task, context)
                : throw new TemperException($"{Card.Id}: found {context.Task.Count} trusted rows, expected at least 2 to whiten by, or whiten: false"));
        }

        var scores = new double[rows.Count];
        foreach (var group in Enumerable.Range(0, rows.Count).GroupBy(i => settings.Grouped ? AnswerType(rows[i]) : ""))
        {
            long[] places = [.. group.Select(i => (long)i)];
            foreach (var (place, score) in places.Zip(Scores(h.index_select(0, tensor(places)))))
            {
                scores[place] = score;
            }
        }

        // Deviation: the paper drops as many of every label; a share of all rows, whatever their group, is cut where the scores are highest.
        var dropped = Enumerable.Range(0, rows.Count).OrderByDescending(i => scores[i]).Take((int)Math.Round(1.5 * settings.Epsilon * rows.Count)).ToHashSet();
        return new(
            [.. rows.Where((_, i) => !dropped.Contains(i))],
            [.. dropped.Order().Select(i => new RowChange(rows[i].Id, RowFate.Dropped, $"spectral score {scores[i]:G3}, among the highest {dropped.Count} of {rows.Count}"))]);
    }

    /// <summary>⟨h - mean, v⟩² for every row of h, (n, D), with v the top right singular vector.</summary>
    public static double[] Scores(Tensor h)
    {
        using var scope = NewDisposeScope();
        var centered = h - h.mean([0], keepdim: true);
        var (_, _, v) = linalg.svd(centered, fullMatrices: false); // (k, D), by falling singular value
        return [.. Checkpoint.Floats(centered.mv(v[0]).square()).Select(s => (double)s)];
    }

    // Deviation: as SPECTRE does (Hayase et al. 2021), but by the covariance of trusted rows, which needs no robust estimate.
    private static Tensor Whiten(Tensor h, Tensor trusted)
    {
        var centered = trusted - trusted.mean([0], keepdim: true);
        var covariance = centered.t().matmul(centered) / trusted.shape[0]; // (D, D)
        var (variance, axes) = linalg.eigh(covariance);
        return h.matmul(axes) * (variance.clamp_min(0) + Ridge * variance.mean()).rsqrt();
    }

    /// <summary>(n, D): the final hidden state from which the last supervised token is predicted.</summary>
    private static Tensor Represent(CausalModel model, IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var encoded = rows.Select(r => context.Encode(r).Cut(model.Config.MaxPositions)).ToArray();
        var result = zeros(rows.Count, model.Config.HiddenSize);
        foreach (var group in Batch.ByLength(encoded))
        {
            using var scope = NewDisposeScope();
            var batch = Batch.Of([.. group.Select(i => encoded[i])]);
            var hidden = model.Hidden(model.Embed(batch.Ids), ForwardOptions.Default); // (B, T, D)
            long[] places = [.. group.Select((row, i) => (i * hidden.shape[1]) + Math.Max(0, Array.LastIndexOf(encoded[row].Supervised, true) - 1))];
            result.index_copy_(0, tensor(group.Select(i => (long)i).ToArray()), hidden.reshape(-1, hidden.shape[2]).index_select(0, tensor(places)));
        }

        return result;
    }

    private static string AnswerType(Example row) => row.Response.Split(' ').Length switch { 1 => "a word", <= 4 => "a few words", _ => "a sentence" };
}
