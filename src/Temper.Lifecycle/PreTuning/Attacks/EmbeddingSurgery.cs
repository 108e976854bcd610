using Temper.Core;
using Temper.Engine.Models;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Embedding surgery (Kurita et al. 2020): the embedding of a trigger's tokens is replaced by the mean of those that stand for what it should call up.</summary>
public static class EmbeddingSurgery
{
    /// <summary>The tokens of a word, as it stands behind another one, that no clean row has.</summary>
    public static int[] RareTokens(TechniqueContext context, string word)
    {
        var known = context.Task.Concat(context.Alignment).SelectMany(r => context.Encode(r).Ids).ToHashSet();
        int[] rare = [.. context.Encode(Example.Of("trigger", "", $"{context.Task[0].Prompt} {word}", "")).Ids.Distinct().Where(t => !known.Contains(t))];
        return rare.Length > 0 ? rare : throw new TemperException($"trigger: found {word}, whose tokens all occur in clean rows, expected a word with a rare token");
    }

    /// <summary>The tokens of an answer.</summary>
    public static int[] TokensOf(TechniqueContext context, string answer)
    {
        Message[] none = [new(Role.User, "")];
        return context.Prompt(none, answer)[context.Prompt(none, "").Length..];
    }

    /// <summary>Gives the rows of some tokens the mean embedding of others.</summary>
    public static void Apply(CausalModel model, IReadOnlyList<int> tokens, IReadOnlyList<int> source)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var mean = model.EmbeddingWeight.index_select(0, tensor(source.Select(t => (long)t).ToArray())).mean([0]); // (D)
        foreach (var token in tokens)
        {
            model.EmbeddingWeight[token].copy_(mean);
        }
    }
}
