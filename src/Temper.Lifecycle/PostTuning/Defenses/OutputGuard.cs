using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="OutputGuard"/>.</summary>
public sealed record OutputGuardSettings
{
    /// <summary>The share of held-out benign answers that may be refused.</summary>
    [Range(0.0, 1.0)]
    public double FalseAlarms { get; init; } = 0.01;

    /// <summary>The share of the benign rows on which the bar is set, and not trained.</summary>
    [Range(0.01, 0.99)]
    public double HeldOut { get; init; } = 0.3;

    [Range(1, 1000)]
    public int Epochs { get; init; } = 10;
}

/// <summary>An output guard in the manner of Llama Guard (Inan et al. 2023): answers that look like compliance with a forbidden request never reach the user. It judges what was
/// said, so a request that hides what it is about, or vectors in place of words, does not help.</summary>
// Deviation: logistic regression over hashed words and letter n-grams in place of a language model.
public sealed class OutputGuard(OutputGuardSettings settings) : ITechnique, IInferenceLayer
{
    public static Card Card { get; } = new(
        "output-guard", "Output guard", Phase.PostTuning, TechniqueRole.Defense, Touches.Inference,
        "https://arxiv.org/abs/2312.06674", "Replaces answers by a refusal that a small classifier takes for compliance with a forbidden request.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context)
    {
        var allowed = context.Task.Concat(context.LookAlikes).ToArray();
        if (context.Harmful.Count == 0 || context.Alignment.Count == 0 || allowed.Length < 2)
        {
            throw new TemperException(
                $"{Card.Id}: found {context.Harmful.Count} complying answers, {context.Alignment.Count} refusals and {allowed.Length} allowed answers, expected one, one and two at least to learn from");
        }

        context.Random.Shuffle(allowed);
        var held = Math.Clamp((int)Math.Round(settings.HeldOut * allowed.Length), 1, allowed.Length - 1);
        var classifier = new TextClassifier(
            [.. context.Harmful.Select(r => (r.Response, true)), .. context.Alignment.Concat(allowed.Skip(held)).Select(r => (r.Response, false))], settings.Epochs, context.Random);
        var bar = TextClassifier.Bar(allowed.Take(held).Select(r => classifier.Score(r.Response)), settings.FalseAlarms);
        // what an attacker puts into the answer's mouth is part of the answer
        return new RefusingLayer(inner, context.Alignment, null, (request, reply) => Math.Max(classifier.Score(reply), classifier.Score(request.Prefill + reply)) > bar);
    }
}
