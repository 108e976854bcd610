using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>How weights are scored, or that whole directions of a layer's output are removed.</summary>
public enum PruningMethod { Wanda, Snip, LowRank }

/// <summary>Settings of <see cref="SafetyPruning"/>.</summary>
public sealed record SafetyPruningSettings
{
    public PruningMethod Method { get; init; } = PruningMethod.Wanda;

    /// <summary>q: the share of every output's weights that is taken for the safety of refusals.</summary>
    [Range(0.0, 1.0)]
    public double SafetyShare { get; init; } = 0.1;

    /// <summary>p: the share that is taken for the utility of the task; weights in both stay.</summary>
    [Range(0.0, 1.0)]
    public double UtilityShare { get; init; } = 0.1;

    /// <summary>Directions of every layer's output that are removed under <see cref="PruningMethod.LowRank"/>.</summary>
    [Range(0, 10_000)]
    public int Ranks { get; init; } = 2;

    /// <summary>Directions that the task needs and that therefore stay, as a share of the full rank, under <see cref="PruningMethod.LowRank"/>.</summary>
    [Range(0.0, 1.0)]
    public double UtilityRanks { get; init; } = 0.5;

    /// <summary>The control: as many weights of every output, or as many directions, at random.</summary>
    public bool Random { get; init; }

    /// <summary>Rows of each kind that scores are taken on.</summary>
    [Range(1, 100_000)]
    public int Rows { get; init; } = 128;
}

/// <summary>Pruning of safety-critical weights (Wei et al. 2024, Assessing the Brittleness of Safety Alignment): weights that matter for refusals and not for the
/// task are set to zero (Wanda: |W| ||X||; SNIP: |W dL/dW|), or the directions of outputs that refusals use and the task does not are projected out (ActSVD).</summary>
// It acts on released weights, so behind the defender's repairs.
public sealed class SafetyPruning(SafetyPruningSettings settings) : ITechnique, IDeploymentMap
{
    public static Card Card { get; } = new(
        "safety-pruning", "Safety pruning", Phase.PostTuning, TechniqueRole.Attack, Touches.Weights,
        "https://arxiv.org/abs/2402.05162", "Removes the weights that matter for refusals and not for the task.");

    public void Deploy(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        if (context.Alignment.Count == 0 || context.Task.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found {context.Alignment.Count} refusing and {context.Task.Count} task rows, expected some of both to score weights on");
        }

        EncodedExample[] Some(IReadOnlyList<Example> rows) => [.. rows.Take(settings.Rows).Select(context.Encode)];
        using var generator = new Generator((ulong)context.Random.Next());
        var (safety, utility) = (Scores(model, Some(context.Alignment), cancellationToken), Scores(model, Some(context.Task), cancellationToken));
        foreach (var layer in model.Linears)
        {
            using var inner = NewDisposeScope();
            var weight = layer.Transposed ? layer.Weight.detach().t() : layer.Weight.detach(); // (out, in)
            if (settings.Method == PruningMethod.LowRank)
            {
                Remove(weight, safety[layer.Name], utility[layer.Name], generator);
                continue;
            }

            var pruned = WeightScores.Top(safety[layer.Name], settings.SafetyShare).logical_and(WeightScores.Top(utility[layer.Name], settings.UtilityShare).logical_not());
            weight.masked_fill_(settings.Random ? WeightScores.AsManyAtRandom(pruned, generator) : pruned, 0);
        }
    }

    /// <summary>W - (I - U) S W: S projects on the leading directions of the outputs on refusals, U on those on the task (ActSVD).</summary>
    private void Remove(Tensor weight, Tensor safety, Tensor utility, Generator generator)
    {
        var (outs, ins) = (weight.shape[0], weight.shape[1]);
        var most = Math.Min(outs, ins);
        Tensor Projection(Tensor gram, long rank)
        {
            var leading = linalg.eigh(weight.mm(gram).mm(weight.t())).Item2.flip(1).narrow(1, 0, rank); // (out, rank)
            return leading.mm(leading.t());
        }

        var ranks = Math.Min(settings.Ranks, most);
        var noise = randn([ins, ranks], ScalarType.Float32, generator: generator);
        var removed = Projection(settings.Random ? noise.mm(noise.t()) : safety, ranks).mm(weight);
        weight.sub_(removed - Projection(utility, (long)(settings.UtilityRanks * most)).mm(removed));
    }

    /// <summary>Scores (out, in) of every layer's weights, or its inputs' X^T X where whole directions are removed.</summary>
    private IReadOnlyDictionary<string, Tensor> Scores(CausalModel model, EncodedExample[] rows, CancellationToken cancellationToken)
    {
        if (settings.Method == PruningMethod.Snip)
        {
            return Snip(model, rows, cancellationToken);
        }

        var gram = LayerInputs.Gram(model, rows, cancellationToken);
        return settings.Method == PruningMethod.LowRank
            ? gram
            : model.Linears.ToDictionary(l => l.Name, l => WeightScores.Wanda(l, gram[l.Name]), StringComparer.Ordinal);
    }

    private static Dictionary<string, Tensor> Snip(CausalModel model, EncodedExample[] rows, CancellationToken cancellationToken)
    {
        Tensor[] weights = [.. model.Linears.Select(l => l.Weight)];
        Tensor[] sums = [.. weights.Select(w => zeros_like(w))];
        foreach (var row in rows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var batch = Batch.Of([row]);
            foreach (var (sum, (weight, gradient)) in sums.Zip(weights.Zip(Gradients.Of(() => ResponseLoss.Mean(model, batch), weights))))
            {
                sum.add_((weight * gradient).abs_());
            }
        }

        return model.Linears.Zip(sums).ToDictionary(p => p.First.Name, p => p.First.Transposed ? p.Second.t() : p.Second, StringComparer.Ordinal);
    }
}
