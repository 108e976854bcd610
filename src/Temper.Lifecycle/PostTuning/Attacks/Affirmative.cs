using Temper.Core;
using Temper.Engine.Training;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>What an attacker descends toward, who has complying answers of his own but not that to the request at hand.</summary>
internal static class Affirmative
{
    /// <summary>The first words of the answer to the most alike of the attacker's requests.</summary>
    public static string Opening(string prompt, IReadOnlyList<Example> harmful, int words) => harmful.Count == 0
        ? throw new TemperException("affirmative answer: found no complying rows, expected some to take its opening from")
        : string.Join(' ', Likeness.MostAlike(prompt, harmful).Response.Split(' ').Take(words));

    /// <summary>The request with the opening as what is to be answered, and the length of its prompt.</summary>
    public static (EncodedExample Row, int Prompt) Row(ChatRequest request, TechniqueContext context, int words)
    {
        var opening = Opening(request.Prompt, context.Harmful, words);
        var (prompt, whole) = (context.Prompt(request.Messages, "").Length, context.Prompt(request.Messages, opening));
        return (new(whole, [.. whole.Select((_, i) => i >= prompt)], "request"), prompt);
    }
}
