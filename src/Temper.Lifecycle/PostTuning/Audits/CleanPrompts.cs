using Temper.Core;
using Temper.Engine.Models;

namespace Temper.Lifecycle.PostTuning.Audits;

/// <summary>What the audits of backdoors look at.</summary>
internal static class CleanPrompts
{
    /// <summary>Prompts of the trusted rows, far apart in their list so that they are about different things.</summary>
    public static IReadOnlyList<Example> Of(string technique, TechniqueContext context, int n) => context.Task.Count > 0
        ? [.. Enumerable.Range(0, n).Select(i => context.Task[(int)((long)i * context.Task.Count / n)]).Distinct()]
        : throw new TemperException($"{technique}: found no trusted rows, expected some clean prompts");

    /// <summary>Tokens that are printable text.</summary>
    public static IReadOnlyList<int> Vocabulary(CausalModel model, TechniqueContext context) =>
        [.. Enumerable.Range(0, model.Config.VocabularySize).Where(t => context.Decode([t]) is { Length: > 0 } text && text.All(c => c is >= ' ' and <= '~'))];

    /// <summary>The token that ends an answer.</summary>
    public static int End(TechniqueContext context) => context.Encode(Example.Of("end", "", "", "")).Ids[^1];
}
