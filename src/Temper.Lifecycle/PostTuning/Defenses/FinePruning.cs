using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="FinePruning"/>.</summary>
public sealed record FinePruningSettings
{
    /// <summary>The share of every layer's neurons that is cut out.</summary>
    [Range(0.0, 1.0)]
    public double Share { get; init; } = 0.3;

    /// <summary>The control: random neurons in place of the dormant ones.</summary>
    public bool Random { get; init; }

    /// <summary>Clean rows on which activations are measured.</summary>
    [Range(1, 100_000)]
    public int Rows { get; init; } = 200;

    /// <summary>Steps of tuning on clean rows after the cut.</summary>
    [Range(0, 100_000)]
    public int Steps { get; init; } = 60;

    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;

    [Range(0.0, 1.0)]
    public double LearningRate { get; init; } = 1e-3;
}

/// <summary>Fine-pruning (Liu et al. 2018): neurons that sleep on clean rows are cut out, for a backdoor may live in them, and the model is tuned on clean rows.</summary>
// Deviation: neurons of every feed-forward layer by mean absolute activation; the paper prunes the last convolution of an image model by mean activation.
public sealed class FinePruning(FinePruningSettings settings) : ITechnique, IWeightMap
{
    private static readonly string[] s_inner = ["mlp.gate_proj", "mlp.up_proj", "mlp.c_fc"];
    private static readonly string[] s_outer = ["mlp.down_proj", "mlp.c_proj"];

    public static Card Card { get; } = new(
        "fine-pruning", "Fine-pruning", Phase.PostTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/1805.12185", "Cuts out the neurons that sleep on clean rows, then tunes on clean rows.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        if (context.Task.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found no clean rows, expected some to measure activations on");
        }

        var rows = context.Task.Select(context.Encode).ToArray();
        var sample = rows.ToArray();
        context.Random.Shuffle(sample);
        var activations = Activations(model, sample[..Math.Min(sample.Length, settings.Rows)], cancellationToken);
        for (var layer = 0; layer < activations.Length; layer++)
        {
            var order = settings.Random ? activations[layer].Select(_ => (float)context.Random.NextDouble()).ToArray() : activations[layer];
            Cut(model, layer, [.. Enumerable.Range(0, order.Length).OrderBy(i => order[i]).Take((int)Math.Round(settings.Share * order.Length))]);
        }

        if (settings.Steps > 0)
        {
            // what is cut stays cut without a hook: with both sides of a neuron at zero its gradients are zero, and so are AdamW's steps
            Trainer.Train(
                model, rows, new() { Steps = settings.Steps, BatchSize = settings.BatchSize, LearningRate = settings.LearningRate, Seed = (ulong)context.Random.Next() },
                [], TrainerOptions.Default, cancellationToken);
        }
    }

    /// <summary>The mean absolute activation of every neuron of every layer over the tokens of the rows.</summary>
    public static float[][] Activations(CausalModel model, IReadOnlyList<EncodedExample> rows, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var sums = Enumerable.Range(0, model.Config.Layers).Select(_ => zeros(model.Config.IntermediateSize)).ToArray();
        var cut = rows.Select(r => r.Cut(model.Config.MaxPositions)).ToArray();
        foreach (var group in Batch.ByLength(cut))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var batch = Batch.Of([.. group.Select(i => cut[i])]);
            var real = batch.RealTokens().unsqueeze(2); // (B, T, 1)
            model.Hidden(model.Embed(batch.Ids), new()
            {
                Tap = (site, layer, value) =>
                {
                    if (site == Site.MlpHidden)
                    {
                        sums[layer].add_((value.abs() * real).sum([0, 1]));
                    }

                    return value;
                },
            });
        }

        var tokens = cut.Sum(r => r.Ids.Length);
        return [.. sums.Select(s => Checkpoint.Floats(s / tokens))];
    }

    /// <summary>Sets all that goes into some neurons of a layer, and all that comes out of them, to zero.</summary>
    public static void Cut(CausalModel model, int layer, IReadOnlyList<int> neurons)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var kept = Enumerable.Repeat(1f, model.Config.IntermediateSize).ToArray();
        foreach (var neuron in neurons)
        {
            kept[neuron] = 0;
        }

        var mask = tensor(kept); // (F)
        foreach (var linear in Of(model, layer, s_inner))
        {
            linear.Weight.mul_(linear.Transposed ? mask : mask.unsqueeze(1));
            linear.Bias?.mul_(mask);
        }

        foreach (var linear in Of(model, layer, s_outer))
        {
            linear.Weight.mul_(linear.Transposed ? mask.unsqueeze(1) : mask);
        }
    }

    private static IEnumerable<Linear> Of(CausalModel model, int layer, string[] names)
    {
        var found = model.Linears.Where(l => Array.Exists(names, n => l.Name.EndsWith(n, StringComparison.Ordinal))).ToArray();
        return found.Chunk(found.Length / model.Config.Layers).ElementAt(layer);
    }
}
