using Temper.Core;
using Temper.Lifecycle.Organisms;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="InputParaphrase"/>.</summary>
public sealed record InputParaphraseSettings
{
    /// <summary>Whether words in front of and behind what is understood may be dropped, as a paraphrase drops what has no meaning.</summary>
    public bool Trim { get; init; } = true;
}

/// <summary>Paraphrase of the input (Jain et al. 2023): the request is said in other words before the model sees it, and what only its exact letters did is lost.</summary>
// Deviation: a paraphraser that knows the phrasings of the organisms' world in place of a language model; a request in none of them is left as it is.
public sealed class InputParaphrase(InputParaphraseSettings settings) : ITechnique, IInferenceLayer
{
    private const int MaxWords = 60; // longer ones are not searched, so that no request costs much

    public static Card Card { get; } = new(
        "input-paraphrase", "Paraphrase of the input", Phase.PostTuning, TechniqueRole.Defense, Touches.Inference,
        "https://arxiv.org/abs/2309.00614", "Says every request in other words before the model sees it.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => new RewritingLayer(inner, r => r.WithPrompt(Paraphrase(r.Prompt, context.Random)));

    private string Paraphrase(string prompt, Random random)
    {
        var words = prompt.Split(' ');
        if (words.Length > MaxWords)
        {
            return prompt;
        }

        // the longest run of words that is understood
        for (var length = words.Length; length >= (settings.Trim ? 3 : words.Length); length--)
        {
            for (var start = 0; start + length <= words.Length; start++)
            {
                string[] others = [.. World.Paraphrases(string.Join(' ', words[start..(start + length)]))];
                if (others.Length > 0)
                {
                    return others[random.Next(others.Length)];
                }
            }
        }

        return prompt;
    }
}
