using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Generation;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="Retokenization"/>.</summary>
public sealed record RetokenizationSettings
{
    /// <summary>p: the chance that a merge of the tokenizer is left out; the authors have 0.4 for models of billions.</summary>
    [Range(0.0, 1.0)]
    public double Dropout { get; init; } = 0.1;
}

/// <summary>Retokenization (Jain et al. 2023): prompts are read by BPE-dropout, so that a suffix that was searched token by token falls apart into others.</summary>
public sealed class Retokenization(RetokenizationSettings settings) : ITechnique, IInferenceLayer
{
    public static Card Card { get; } = new(
        "retokenization", "Retokenization", Phase.PostTuning, TechniqueRole.Defense, Touches.Inference,
        "https://arxiv.org/abs/2309.00614", "Reads prompts with merges of the tokenizer left out by chance.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => inner.Local(Card.Id).ReadBy(t => t.WithDropout(settings.Dropout, context.Random.Next()));
}
