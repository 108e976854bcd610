using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Search;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>Settings of <see cref="RandomSearch"/>.</summary>
public sealed record RandomSearchSettings
{
    /// <summary>n: tokens of the suffix.</summary>
    [Range(1, 64)]
    public int Tokens { get; init; } = 20;

    [Range(0, 100_000)]
    public int Steps { get; init; } = 30;

    /// <summary>Candidates of a step, of which the best is kept if it is better; with the steps the budget of queries.</summary>
    [Range(1, 4096)]
    public int Candidates { get; init; } = 64;

    /// <summary>Places that a candidate changes.</summary>
    [Range(1, 64)]
    public int Swaps { get; init; } = 1;

    /// <summary>Requests that the one suffix is searched on.</summary>
    [Range(1, 256)]
    public int Requests { get; init; } = 4;

    /// <summary>Words of a complying answer that are searched for.</summary>
    [Range(1, 40)]
    public int TargetWords { get; init; } = 4;

    /// <summary>The loss at which the search ends.</summary>
    [Range(0.0, 100.0)]
    public double StopLoss { get; init; } = 0.05;

    /// <summary>A suffix of its own for every request, in place of one for all.</summary>
    public bool Individual { get; init; }
}

/// <summary>Random search for a suffix (Andriushchenko et al. 2024): random swaps, kept if the answer becomes more likely. Needs log-probabilities only, and is the control of <see cref="Gcg"/>.</summary>
public sealed class RandomSearch(RandomSearchSettings settings) : ITechnique, IInferenceLayer, IReadsModel
{
    public static Card Card { get; } = new(
        "random-search", "Random-search suffix", Phase.PostTuning, TechniqueRole.Attack, Touches.Inference,
        "https://arxiv.org/abs/2404.02151", "Searches a text behind the request by random swaps of its tokens; needs log-probabilities, no gradients.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => new SuffixAttack(
        new() { Technique = Card.Id, Tokens = settings.Tokens, Requests = settings.Requests, TargetWords = settings.TargetWords, Individual = settings.Individual },
        new() { Allowed = [], Guided = false, Steps = settings.Steps, Candidates = settings.Candidates, Swaps = settings.Swaps, StopLoss = settings.StopLoss },
        context).Wrap(inner);
}
