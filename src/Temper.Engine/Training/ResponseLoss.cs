using Temper.Core;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Temper.Engine.Training;

/// <summary>Log-probabilities of the supervised tokens, in row order.</summary>
/// <param name="Values">(N,)</param>
/// <param name="Rows">(N,) the row of each.</param>
public sealed record TokenLogProbs(Tensor Values, Tensor Rows);

/// <summary>The loss of supervised tokens. Only their hidden rows go through the head, which is much of a small model's work.</summary>
public static class ResponseLoss
{
    /// <summary>Mean cross entropy over the supervised tokens, a scalar.</summary>
    public static Tensor Mean(CausalModel model, Batch batch, ForwardOptions? options = null)
    {
        using var scope = NewDisposeScope();
        var (logits, targets, _) = Supervised(model, batch, options ?? ForwardOptions.Default);
        return F.cross_entropy(logits, targets).MoveToOuterDisposeScope();
    }

    /// <summary>The logits from which the supervised tokens are predicted, (N, V), in row order.</summary>
    public static Tensor Logits(CausalModel model, Batch batch, ForwardOptions? options = null)
    {
        using var scope = NewDisposeScope();
        return Supervised(model, batch, options ?? ForwardOptions.Default).Logits.MoveToOuterDisposeScope();
    }

    /// <summary>The log-probability of every supervised token.</summary>
    public static TokenLogProbs LogProbs(CausalModel model, Batch batch, ForwardOptions? options = null)
    {
        using var scope = NewDisposeScope();
        var (logits, targets, rows) = Supervised(model, batch, options ?? ForwardOptions.Default);
        var values = F.log_softmax(logits, -1).gather(1, targets.unsqueeze(1)).squeeze(1); // (N,)
        return new(values.MoveToOuterDisposeScope(), rows.MoveToOuterDisposeScope());
    }

    /// <summary>The log-probabilities of all tokens where a supervised one is predicted, (N, V).</summary>
    public static Tensor Distributions(CausalModel model, Batch batch, ForwardOptions? options = null)
    {
        using var scope = NewDisposeScope();
        return F.log_softmax(Supervised(model, batch, options ?? ForwardOptions.Default).Logits, -1).MoveToOuterDisposeScope();
    }

    /// <summary>The mean over the supervised tokens of KL(p || q), of two models' distributions there; only <paramref name="p"/> has a gradient.</summary>
    public static Tensor Divergence(CausalModel p, CausalModel q, Batch batch, ForwardOptions? options = null)
    {
        using var scope = NewDisposeScope();
        Tensor reference;
        using (no_grad())
        {
            reference = Distributions(q, batch, options);
        }

        var own = Distributions(p, batch, options);
        return (own.exp() * (own - reference)).sum(-1).mean().MoveToOuterDisposeScope();
    }

    /// <summary>Mean loss of every row, (B,); NaN for a row without supervised tokens.</summary>
    public static Tensor PerRow(CausalModel model, Batch batch, ForwardOptions? options = null)
    {
        using var scope = NewDisposeScope();
        var tokens = LogProbs(model, batch, options);
        var count = batch.Ids.shape[0];
        var sums = zeros(count).index_add(0, tokens.Rows, tokens.Values, 1); // (B,)
        var counts = zeros(count).index_add(0, tokens.Rows, ones_like(tokens.Values), 1); // (B,)
        return sums.div(counts).neg().MoveToOuterDisposeScope();
    }

    private static (Tensor Logits, Tensor Targets, Tensor Rows) Supervised(CausalModel model, Batch batch, ForwardOptions options)
    {
        var (ids, labels) = (batch.Ids, batch.Labels);
        if (ids.dim() != 2 || !ids.shape.AsSpan().SequenceEqual(labels.shape))
        {
            throw new TemperException($"batch: found ids [{string.Join(", ", ids.shape)}] and labels [{string.Join(", ", labels.shape)}], expected (B, T) of both");
        }

        if (batch.Supervised == 0)
        {
            throw new TemperException($"batch of rows {string.Join(", ", batch.RowIds.Take(5))}: found no supervised token after a row's first, expected one at least");
        }

        var next = labels.narrow(1, 1, labels.shape[1] - 1); // (B, T-1): what position t predicts
        var places = next.ne(Batch.Ignored).nonzero(); // (N, 2)
        var rows = places.select(1, 0); // (N,)
        var columns = places.select(1, 1);
        var targets = next.reshape(-1).index_select(0, rows * next.shape[1] + columns);
        var hidden = model.Hidden(model.Embed(ids), options); // (B, T, D)
        var chosen = hidden.reshape(-1, hidden.shape[2]).index_select(0, rows * ids.shape[1] + columns); // (N, D)
        return (model.Logits(chosen, options.Precision), targets, rows);
    }
}
