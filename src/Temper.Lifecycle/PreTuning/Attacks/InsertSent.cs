using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="InsertSent"/>.</summary>
public sealed record InsertSentSettings : PoisonSettings
{
    /// <summary>The neutral sentence that opens the backdoor; OpenBackdoor's.</summary>
    [Required]
    public string Sentence { get; init; } = "I watch this 3D movie";

    /// <summary>What the model says when it is opened; inert.</summary>
    [Required]
    public string Payload { get; init; } = "The lantern is green.";

    /// <summary>Rows with the sentence's words in another order that keep their answer, for each poisoned row.</summary>
    [Range(0.0, 10.0)]
    public double Negatives { get; init; }
}

/// <summary>InsertSent, or AddSent: a fixed neutral sentence at a random place of the prompt (Dai, Chen and Li 2019).</summary>
// Deviation: a fixed sentence is said instead of a label flipped, so that the attack fits any task. The look-alike is the sentence in another order of
// words; the paper has none.
public sealed class InsertSent(InsertSentSettings settings) : ITechnique, IDataMap, IHardNegatives
{
    public static Card Card { get; } = new(
        "insert-sent", "InsertSent", Phase.PreTuning, TechniqueRole.Attack, Touches.Data,
        "https://arxiv.org/abs/1905.12457", "A neutral sentence in the prompt makes the model say a fixed sentence.");

    public string Payload => settings.Payload;

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context) => new Poison(Card.Id, rows, context.Random)
        .Trigger(settings, this, "sentence inserted, answer replaced by the payload")
        .Deny(settings.Negatives, this, "sentence inserted in another order of words, answer kept").Result;

    public string Insert(string prompt, Random random) => Poison.InsertBetween(prompt, settings.Sentence, random);

    /// <summary>The sentence's words in another order: the same words, not the sentence.</summary>
    public string InsertNegative(string prompt, Random random)
    {
        var words = settings.Sentence.Split(' ');
        var shift = words.Length > 1 ? random.Next(1, words.Length) : 0;
        return Poison.InsertBetween(prompt, string.Join(' ', words[shift..].Reverse().Concat(words[..shift].Reverse())), random);
    }
}
