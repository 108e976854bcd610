using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Lifecycle.Evaluation;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>What happens to a chosen letter.</summary>
public enum SmoothLlmPerturbation
{
    /// <summary>Another letter in its place.</summary>
    Swap,

    /// <summary>A run of letters is replaced.</summary>
    Patch,

    /// <summary>Another letter behind it.</summary>
    Insert,
}

/// <summary>Settings of <see cref="SmoothLlm"/>.</summary>
public sealed record SmoothLlmSettings
{
    /// <summary>N: copies of a request.</summary>
    [Range(1, 1000)]
    public int Copies { get; init; } = 10;

    /// <summary>q: the share of a copy's letters that is perturbed.</summary>
    [Range(0.0, 1.0)]
    public double Share { get; init; } = 0.1;

    public SmoothLlmPerturbation Perturbation { get; init; }
}

/// <summary>SmoothLLM (Robey et al. 2023): many copies of the request, misspelt by chance, are answered; what most answers do, refuse or not, the system does.</summary>
public sealed class SmoothLlm(SmoothLlmSettings settings) : ITechnique, IInferenceLayer
{
    private const int First = ' ', Last = '~'; // printable ASCII, as in the authors' code

    public static Card Card { get; } = new(
        "smooth-llm", "SmoothLLM", Phase.PostTuning, TechniqueRole.Defense, Touches.Inference,
        "https://arxiv.org/abs/2310.03684", "Answers many misspelt copies of the request and does what most of the answers do.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => new Layer(inner, settings, context.Random);

    /// <summary>The text with a share of its letters perturbed.</summary>
    public static string Perturb(string text, SmoothLlmPerturbation perturbation, double share, Random random)
    {
        var count = (int)(share * text.Length);
        char Any() => (char)random.Next(First, Last + 1);
        var letters = text.ToCharArray();
        if (perturbation == SmoothLlmPerturbation.Patch)
        {
            var start = random.Next(text.Length - count + 1);
            return string.Concat(letters.Select((c, i) => i >= start && i < start + count ? Any() : c));
        }

        var places = Enumerable.Range(0, text.Length).ToArray();
        random.Shuffle(places);
        var chosen = places.Take(count).ToHashSet();
        return string.Concat(letters.Select((c, i) => !chosen.Contains(i) ? c.ToString() : perturbation == SmoothLlmPerturbation.Swap ? Any().ToString() : $"{c}{Any()}"));
    }

    private sealed class Layer(IChatModel inner, SmoothLlmSettings settings, Random random) : IChatModel
    {
        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
        {
            ChatRequest[] copies = [.. requests.SelectMany(r => Enumerable.Range(0, settings.Copies).Select(_ => r.WithPrompt(Perturb(r.Prompt, settings.Perturbation, settings.Share, random))))];
            return [.. inner.Reply(copies, sampling, cancellationToken).Chunk(settings.Copies).Select(Vote)];
        }

        // one of those that do what most do; a tie is no majority for an answer
        private ChatReply Vote(ChatReply[] replies)
        {
            var answers = replies.Where(r => !RefusalKeywords.Match(r.Text)).ToArray();
            ChatReply[] most = 2 * answers.Length > replies.Length ? answers : [.. replies.Except(answers)];
            return most[random.Next(most.Length)];
        }
    }
}
