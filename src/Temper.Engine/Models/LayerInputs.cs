using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>What goes into the linear layers of a model.</summary>
public static class LayerInputs
{
    /// <summary>X^T X over the positions that predict an answer's tokens, (in, in) of every linear layer by its name: its diagonal holds the squared norms of the inputs.</summary>
    public static IReadOnlyDictionary<string, Tensor> Gram(CausalModel model, IReadOnlyList<EncodedExample> rows, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var sums = model.Linears.ToDictionary(l => l.Name, l => zeros(l.InFeatures, l.InFeatures), StringComparer.Ordinal);
        foreach (var group in Batch.ByLength(rows))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var batch = Batch.Of([.. group.Select(i => rows[i])]);
            var (count, length) = (batch.Labels.shape[0], batch.Labels.shape[1]);
            // position t predicts t + 1; the last position predicts nothing
            var predicts = cat([batch.Labels.narrow(1, 1, length - 1).ne(Batch.Ignored), zeros([count, 1], ScalarType.Bool)], 1).reshape(-1).nonzero().squeeze(1);
            foreach (var layer in model.Linears)
            {
                layer.Input = x =>
                {
                    using var call = NewDisposeScope();
                    var chosen = x.reshape(-1, layer.InFeatures).index_select(0, predicts); // (N, in)
                    sums[layer.Name].add_(chosen.t().mm(chosen));
                };
            }

            try
            {
                model.Hidden(model.Embed(batch.Ids), ForwardOptions.Default);
            }
            finally
            {
                foreach (var layer in model.Linears)
                {
                    layer.Input = null;
                }
            }
        }

        return sums.ToDictionary(p => p.Key, p => p.Value.MoveToOuterDisposeScope(), StringComparer.Ordinal);
    }
}
