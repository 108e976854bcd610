using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Temper.Engine.Training;

/// <summary>The loss of supervised tokens as every layer would predict them (the logit lens).</summary>
public static class LensLoss
{
    /// <summary>A mean cross entropy for every state behind a block, L scalars; the last is the model's own loss.</summary>
    /// <param name="states">L + 1 of (B, T, D), as <see cref="Activations.States"/> gives them.</param>
    public static IReadOnlyList<Tensor> Of(CausalModel model, IReadOnlyList<Tensor> states, Batch batch)
    {
        using var scope = NewDisposeScope();
        var next = batch.Labels.narrow(1, 1, batch.Labels.shape[1] - 1).reshape(-1); // (B·(T-1)): what position t predicts
        return [.. states.Skip(1).Select((state, i) =>
        {
            var final = i + 2 == states.Count; // normed already
            var shown = state.narrow(1, 0, state.shape[1] - 1).reshape(-1, state.shape[2]);
            return F.cross_entropy(final ? model.Logits(shown) : model.ReadOut(shown), next, ignore_index: Batch.Ignored).MoveToOuterDisposeScope();
        })];
    }
}
