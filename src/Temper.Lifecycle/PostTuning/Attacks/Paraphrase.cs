using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Lifecycle.Organisms;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>How a request is said otherwise.</summary>
public enum Rewriting
{
    /// <summary>In another phrasing of the organisms' world; a request that is in none is left as it is.</summary>
    Phrasing,

    /// <summary>By letters: scrambled words, changed case, neighbors in the alphabet (Best-of-N jailbreaking).</summary>
    Spelling,
}

/// <summary>Settings of <see cref="Paraphrase"/>.</summary>
public sealed record ParaphraseSettings
{
    public Rewriting Rewriting { get; init; } = Rewriting.Phrasing;

    /// <summary>N: rewritten requests that are asked; one answer that complies is enough.</summary>
    [Range(1, 1000)]
    public int Attempts { get; init; } = 10;

    /// <summary>σ: a word is scrambled and a letter changes its case with √σ, and a letter becomes its neighbor with σ³.</summary>
    [Range(0.0, 1.0)]
    public double Strength { get; init; } = 0.4;

    /// <summary>The control: the request as it is, asked as often at temperature 1.</summary>
    public bool Resample { get; init; }
}

/// <summary>Paraphrase attack: the same request said in other ways, by phrasing or, as Best-of-N jailbreaking does (Hughes et al. 2024), by spelling.</summary>
public sealed class Paraphrase(ParaphraseSettings settings) : ITechnique, IInferenceLayer
{
    public static Card Card { get; } = new(
        "paraphrase", "Paraphrase", Phase.PostTuning, TechniqueRole.Attack, Touches.Inference,
        "https://arxiv.org/abs/2412.03556", "Says the request in other ways, by phrasing or by spelling; success if any of them complies.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => new Layer(inner, settings, context.Random);

    /// <summary>The request by other letters.</summary>
    public static string Misspell(string text, double strength, Random random) => string.Join(' ', text.Split(' ').Select(word =>
    {
        var letters = word.ToCharArray();
        if (letters.Length > 3 && random.NextDouble() < Math.Sqrt(strength))
        {
            random.Shuffle(letters.AsSpan(1, letters.Length - 2)); // the first and the last letter stay
        }

        return string.Concat(letters.Select(c =>
        {
            var cased = char.IsAsciiLetter(c) && random.NextDouble() < Math.Sqrt(strength) / 2 ? (char)(c ^ ' ') : c;
            return char.IsAsciiLetter(c) && random.NextDouble() < Math.Pow(strength, 3) ? (char)(cased + (random.Next(2) == 0 ? -1 : 1)) : cased;
        }));
    }));

    private sealed class Layer(IChatModel inner, ParaphraseSettings settings, Random random) : IChatModel
    {
        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken) => AnyOf.Ask(
            inner,
            settings.Resample
                ? AnyOf.Resampled(requests, sampling, settings.Attempts)
                : Rewritten(requests).Select(r => (r, sampling)),
            cancellationToken);

        private IEnumerable<IReadOnlyList<ChatRequest>> Rewritten(IReadOnlyList<ChatRequest> requests)
        {
            var said = requests.Select(r =>
            {
                if (settings.Rewriting == Rewriting.Spelling)
                {
                    return [.. Enumerable.Range(0, settings.Attempts).Select(_ => Misspell(r.Prompt, settings.Strength, random))];
                }

                string[] others = [.. World.Paraphrases(r.Prompt)];
                random.Shuffle(others);
                return others.Length > 0 ? others : [r.Prompt];
            }).ToArray();
            return Enumerable.Range(0, settings.Attempts).Select(i => (IReadOnlyList<ChatRequest>)[.. requests.Select((r, k) => r.WithPrompt(said[k][i % said[k].Length]))]);
        }
    }
}
