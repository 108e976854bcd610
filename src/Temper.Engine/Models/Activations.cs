using Temper.Engine.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>What the residual stream holds where a block reads it.</summary>
public static class Activations
{
    /// <summary>The mean input of every block at the last position of the sequences, L of (D).</summary>
    public static IReadOnlyList<float[]> MeanInputs(CausalModel model, IReadOnlyList<int[]> sequences)
    {
        var sums = Enumerable.Range(0, model.Config.Layers).Select(_ => new float[model.Config.HiddenSize]).ToArray();
        Visit(model, sequences, (layer, value) =>
        {
            var last = Checkpoint.Floats(value.select(1, value.shape[1] - 1));
            for (var i = 0; i < last.Length; i++)
            {
                sums[layer][i] += last[i] / sequences.Count;
            }
        });
        return sums;
    }

    /// <summary>The mean length of a position's vector at the input of every block, (L).</summary>
    public static IReadOnlyList<double> MeanLengths(CausalModel model, IReadOnlyList<int[]> sequences)
    {
        var sums = new double[model.Config.Layers];
        Visit(model, sequences, (layer, value) => sums[layer] += value.norm(-1).sum().item<float>());
        return [.. sums.Select(s => s / sequences.Sum(p => p.Length))];
    }

    /// <summary>The values of one forward pass that are asked for, in the order of the pass; gradients go through them where they are recorded.</summary>
    public static IReadOnlyList<Tensor> Record(CausalModel model, Tensor ids, Func<Site, int, bool> which, ForwardOptions? options = null)
    {
        using var scope = NewDisposeScope();
        var found = new List<Tensor>();
        options ??= ForwardOptions.Default;
        model.Hidden(model.Embed(ids), options with
        {
            Tap = (site, layer, value) =>
            {
                value = options.Tap?.Invoke(site, layer, value) ?? value;
                if (which(site, layer))
                {
                    found.Add(value.alias().MoveToOtherDisposeScope(scope));
                }

                return value;
            },
        });
        return [.. found.Select(v => v.MoveToOuterDisposeScope())];
    }

    /// <summary>The residual stream, L + 1 of (B, T, D): what every block is given, and the final hidden state.</summary>
    public static IReadOnlyList<Tensor> States(CausalModel model, Tensor ids, ForwardOptions? options = null) =>
        Record(model, ids, (site, _) => site is Site.BlockInput or Site.FinalHidden, options);

    private static void Visit(CausalModel model, IReadOnlyList<int[]> sequences, Action<int, Tensor> see)
    {
        using var quiet = no_grad();
        foreach (var sequence in sequences)
        {
            using var scope = NewDisposeScope();
            model.Hidden(model.Embed(tensor(sequence.Select(i => (long)i).ToArray(), 1, sequence.Length)), new()
            {
                Tap = (site, layer, value) =>
                {
                    if (site == Site.BlockInput)
                    {
                        see(layer, value); // (1, T, D)
                    }

                    return value;
                },
            });
        }
    }
}
