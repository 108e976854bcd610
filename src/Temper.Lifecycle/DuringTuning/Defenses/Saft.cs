using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Where <see cref="Saft"/> reads a row: where its prompt ends, or where its answer does.</summary>
public enum SaftState { Prompt, Answer }

/// <summary>Settings of <see cref="Saft"/>.</summary>
public sealed record SaftSettings
{
    /// <summary>k: singular vectors that span the subspace.</summary>
    [Range(1, 100)]
    public int Directions { get; init; } = 10;

    /// <summary>The share of trusted rows that may be dropped; it sets the bar.</summary>
    [Range(0.0, 1.0)]
    public double FalsePositives { get; init; } = 0.05;

    public SaftState State { get; init; } = SaftState.Prompt;

    /// <summary>The control: random directions.</summary>
    public bool Random { get; init; }
}

/// <summary>SAFT (Choi et al. 2024): rows that lie far out along the top singular vectors of the centered embeddings of the user's rows are dropped before tuning, by
/// sum_i ⟨h - mean, v_i⟩².</summary>
// Deviation: the bar is set by trusted rows of the task, where the paper learns it on a few labeled rows.
public sealed class Saft(SaftSettings settings) : ITechnique, IDataMap, IReadsModel
{
    public static Card Card { get; } = new(
        "saft", "SAFT", Phase.DuringTuning, TechniqueRole.Defense, Touches.Data,
        "https://arxiv.org/abs/2410.10014", "Drops rows that lie far out in the top subspace of the embeddings of the user's rows.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var model = context.RequireModel(Card.Id);
        if (rows.Count == 0 || context.Task.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found {rows.Count} rows and {context.Task.Count} trusted ones, expected some of both to filter and to set the bar by");
        }

        var (suspect, trusted) = (Represent(model, rows, context), Represent(model, context.Task, context)); // (n, D), (m, D)
        var mean = suspect.mean([0], keepdim: true);
        var directions = settings.Random ? RandomDirections(suspect.shape[1], context.Random) : Directions(suspect - mean, settings.Directions); // (k, D)
        float[] Scores(Tensor h) => Checkpoint.Floats((h - mean).mm(directions.t()).square().sum(1));
        var order = Scores(trusted).Order().ToArray();
        var bar = order[Math.Clamp((int)Math.Ceiling((1 - settings.FalsePositives) * order.Length) - 1, 0, order.Length - 1)];
        var scores = Scores(suspect);
        return new(
            [.. rows.Where((_, i) => scores[i] <= bar)],
            [.. rows.Index().Where(r => scores[r.Index] > bar).Select(r => new RowChange(r.Item.Id, RowFate.Dropped, $"score {scores[r.Index]:G3} in the top subspace, above {bar:G3}"))]);
    }

    /// <summary>The top right singular vectors of centered rows, (k, D).</summary>
    public static Tensor Directions(Tensor centered, int count)
    {
        using var scope = NewDisposeScope();
        var (_, _, v) = linalg.svd(centered, fullMatrices: false);
        return v.narrow(0, 0, Math.Min(count, v.shape[0])).MoveToOuterDisposeScope();
    }

    private Tensor RandomDirections(long width, Random random) =>
        linalg.qr(tensor(Noise.Normal((int)width * settings.Directions, random), width, settings.Directions)).Q.t();

    private Tensor Represent(CausalModel model, IReadOnlyList<Example> rows, TechniqueContext context)
    {
        if (settings.State == SaftState.Answer)
        {
            var hidden = RowFeatures.LastHidden(model, [.. rows.Select(r => context.Encode(r).Cut(model.Config.MaxPositions))]);
            return tensor(hidden.SelectMany(h => h).ToArray(), rows.Count, hidden[0].Length);
        }

        Tensor[] states = [.. rows.Select(r => context.Prompt(r.Question, "")).Select(p => p[..Math.Min(p.Length, model.Config.MaxPositions)]).Chunk(64).Select(p => LastStates.Of(model, p))];
        return cat(states, 0);
    }
}
