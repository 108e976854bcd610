using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>A look at the weights that some steps of tuning would lead to; they are as before afterwards, to the bit (first-order meta-learning).</summary>
public static class Lookahead
{
    /// <summary>What <paramref name="look"/> finds after the steps, which are AdamW's with a fresh state.</summary>
    /// <param name="loss">The loss of a step; runs with gradients on.</param>
    /// <param name="visit">Sees the weights on the way, after the step of that number, from 0.</param>
    public static T After<T>(IReadOnlyDictionary<string, Tensor> parameters, int steps, double rate, Func<int, Tensor> loss, Func<T> look, Action<int>? visit = null)
    {
        using var quiet = no_grad();
        using var kept = Snapshot.Take(parameters);
        Tensor[] leaves = [.. parameters.Values];
        try
        {
            using var adam = new AdamW(parameters, weightDecay: 0);
            for (var step = 0; step < steps; step++)
            {
                using var scope = NewDisposeScope();
                var before = leaves.Select(p => p.grad).ToArray();
                var gradients = Gradients.Of(() => loss(step), leaves);
                Put(leaves, gradients);
                adam.Step(rate);
                Put(leaves, before);
                visit?.Invoke(step);
            }

            return look();
        }
        finally
        {
            kept.Restore(parameters);
        }
    }

    private static void Put(Tensor[] leaves, IReadOnlyList<Tensor?> gradients)
    {
        for (var i = 0; i < leaves.Length; i++)
        {
            leaves[i].grad = gradients[i];
        }
    }
}
