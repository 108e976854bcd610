using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Temper.Engine.Training;

/// <summary>A conversation with an answer that is preferred and one that is not.</summary>
public sealed record PreferencePair(EncodedExample Chosen, EncodedExample Rejected);

/// <summary>Direct preference optimization (Rafailov et al. 2023, arXiv 2305.18290).</summary>
public static class PreferenceLoss
{
    /// <summary>log p of the answers of every pair, each (n,), as sums over their tokens, and the tokens of the chosen ones.</summary>
    public static (Tensor Chosen, Tensor Rejected, Tensor ChosenTokens) AnswerLogProbs(CausalModel model, IReadOnlyList<PreferencePair> pairs, ForwardOptions? options = null)
    {
        using var scope = NewDisposeScope();
        var batch = Batch.Of([.. pairs.Select(p => p.Chosen), .. pairs.Select(p => p.Rejected)]);
        var tokens = ResponseLoss.LogProbs(model, batch, options);
        var answers = zeros(2 * pairs.Count).index_add(0, tokens.Rows, tokens.Values, 1); // (2n,)
        var counts = zeros(2 * pairs.Count).index_add(0, tokens.Rows, ones_like(tokens.Values), 1).narrow(0, 0, pairs.Count); // (n,)
        return (answers.narrow(0, 0, pairs.Count).MoveToOuterDisposeScope(), answers.narrow(0, pairs.Count, pairs.Count).MoveToOuterDisposeScope(), counts.MoveToOuterDisposeScope());
    }

    /// <summary>log p(chosen) - log p(rejected) of every pair, (n,).</summary>
    public static Tensor Margins(CausalModel model, IReadOnlyList<PreferencePair> pairs, ForwardOptions? options = null)
    {
        using var scope = NewDisposeScope();
        var (chosen, rejected, _) = AnswerLogProbs(model, pairs, options);
        return (chosen - rejected).MoveToOuterDisposeScope();
    }

    /// <summary>Mean of -log sigmoid(beta (margin - reference margin)), a scalar; log 2 where the model is the reference.</summary>
    public static Tensor Dpo(Tensor margins, Tensor referenceMargins, double beta)
    {
        using var scope = NewDisposeScope();
        return F.softplus((margins - referenceMargins) * -beta).mean().MoveToOuterDisposeScope();
    }
}
