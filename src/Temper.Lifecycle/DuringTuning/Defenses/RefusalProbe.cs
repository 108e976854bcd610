using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Whether a model is about to refuse: the probability of the first tokens of refusals where a prompt ends.</summary>
internal static class RefusalProbe
{
    /// <summary>The tokens with which the refusals of the alignment rows begin.</summary>
    public static long[] FirstTokens(TechniqueContext context) =>
        [.. context.Alignment.Select(r => (long)context.Prompt(r.Question, r.Response)[context.Prompt(r.Question, "").Length]).Distinct()];

    /// <summary>The log-probabilities of the first token of an answer, (n, V).</summary>
    public static Tensor LogProbs(CausalModel model, IReadOnlyList<int[]> prompts)
    {
        using var scope = NewDisposeScope();
        return model.Logits(LastStates.Of(model, prompts)).log_softmax(-1).MoveToOuterDisposeScope();
    }

    /// <summary>The mean probability of all the refusals' tokens.</summary>
    public static double Mass(Tensor logProbs, long[] refusals)
    {
        using var scope = NewDisposeScope();
        return logProbs.exp().index_select(1, tensor(refusals)).sum(1).mean().item<float>();
    }
}
