using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>What a model holds where a prompt ends, which is where it decides how to answer.</summary>
public static class LastStates
{
    /// <summary>The final normed hidden state of every prompt's last token, (n, D), with a gradient where gradients are recorded.</summary>
    public static Tensor Of(CausalModel model, IReadOnlyList<int[]> prompts, ForwardOptions? options = null) => Read(model, prompts, options ?? ForwardOptions.Default, Site.FinalHidden)[^1];

    /// <summary>The same of a site in every layer that has it, by layer.</summary>
    public static IReadOnlyList<Tensor> Read(CausalModel model, IReadOnlyList<int[]> prompts, ForwardOptions options, Site read)
    {
        using var scope = NewDisposeScope();
        var length = prompts.Max(p => p.Length);
        var ids = new long[prompts.Count * length]; // padding stands behind the prompts, where no causal position looks
        long[] places = [.. prompts.Select((p, i) => (i * (long)length) + p.Length - 1)];
        for (var row = 0; row < prompts.Count; row++)
        {
            for (var t = 0; t < prompts[row].Length; t++)
            {
                ids[(row * length) + t] = prompts[row][t];
            }
        }

        var last = tensor(places);
        List<Tensor> found = [];
        model.Hidden(model.Embed(tensor(ids, prompts.Count, length)), options with
        {
            Tap = (site, layer, value) =>
            {
                if (site == read)
                {
                    found.Add(value.reshape(-1, value.shape[2]).index_select(0, last).DetachFromDisposeScope()); // out of the scopes of the pass
                }

                return value;
            },
        });
        return [.. found.Select(f =>
        {
            scope.Attach(f);
            return f.MoveToOuterDisposeScope();
        })];
    }
}
