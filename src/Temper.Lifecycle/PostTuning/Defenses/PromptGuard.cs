using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="PromptGuard"/>.</summary>
public sealed record PromptGuardSettings
{
    /// <summary>The share of held-out benign prompts that may be refused.</summary>
    [Range(0.0, 1.0)]
    public double FalseAlarms { get; init; } = 0.01;

    /// <summary>The share of the benign rows on which the bar is set, and not trained.</summary>
    [Range(0.01, 0.99)]
    public double HeldOut { get; init; } = 0.3;

    [Range(1, 1000)]
    public int Epochs { get; init; } = 10;
}

/// <summary>An input guard in the manner of Llama Guard (Inan et al. 2023): requests that look like those to be refused never reach the model.</summary>
// Deviation: logistic regression over hashed words and letter n-grams in place of a language model, so that it costs microseconds and runs anywhere.
public sealed class PromptGuard(PromptGuardSettings settings) : ITechnique, IInferenceLayer
{
    public static Card Card { get; } = new(
        "prompt-guard", "Prompt guard", Phase.PostTuning, TechniqueRole.Defense, Touches.Inference,
        "https://arxiv.org/abs/2312.06674", "Refuses requests that a small classifier takes for forbidden; sees text, not the vectors of a soft prompt.", Version: 2);

    public IChatModel Wrap(IChatModel inner, TechniqueContext context)
    {
        if (context.Alignment.Count == 0 || context.Task.Count < 2)
        {
            throw new TemperException($"{Card.Id}: found {context.Alignment.Count} refusals and {context.Task.Count} task rows, expected one and two at least to learn from");
        }

        var allowed = context.Task.Concat(context.LookAlikes).ToArray(); // without look-alikes it would learn the words of a topic, not what is asked of it
        context.Random.Shuffle(allowed);
        var held = Math.Clamp((int)Math.Round(settings.HeldOut * allowed.Length), 1, allowed.Length - 1);
        var classifier = new TextClassifier([.. context.Alignment.Select(r => (r.Prompt, true)), .. allowed.Skip(held).Select(r => (r.Prompt, false))], settings.Epochs, context.Random);
        var bar = TextClassifier.Bar(allowed.Take(held).Select(r => Score(classifier, r.Question, "")), settings.FalseAlarms);
        return new RefusingLayer(inner, context.Alignment, r => Score(classifier, r.Messages, r.Prefill) > bar);
    }

    /// <summary>Log odds that a conversation is to be refused: the highest of each message, and of all with the opening of the answer.</summary>
    private static double Score(TextClassifier classifier, IReadOnlyList<Message> messages, string prefill) =>
        messages.Select(m => m.Content).Append(string.Join(' ', messages.Select(m => m.Content).Append(prefill))).Max(classifier.Score);
}
