using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Search;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>Settings of <see cref="Gcg"/>.</summary>
public sealed record GcgSettings
{
    /// <summary>n: tokens of the suffix.</summary>
    [Range(1, 64)]
    public int Tokens { get; init; } = 20;

    [Range(0, 10_000)]
    public int Steps { get; init; } = 30;

    /// <summary>B: candidates of a step.</summary>
    [Range(1, 4096)]
    public int Candidates { get; init; } = 64;

    /// <summary>k: promising tokens of each place.</summary>
    [Range(1, 100_000)]
    public int TopK { get; init; } = 64;

    /// <summary>Places that a candidate changes.</summary>
    [Range(1, 64)]
    public int Swaps { get; init; } = 1;

    /// <summary>Suffixes kept of which the best is changed; 0 goes on from the last step's, even if it was better before.</summary>
    [Range(0, 100)]
    public int Buffer { get; init; } = 1;

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

/// <summary>Greedy coordinate gradient (Zou et al. 2023): a suffix whose tokens are swapped where the gradient promises a complying answer.</summary>
// Deviation: the vocabulary is small and so are the numbers: nanoGCG takes 250 steps of 512 candidates from 256 tokens a place.
public sealed class Gcg(GcgSettings settings) : ITechnique, IInferenceLayer, IReadsModel
{
    public static Card Card { get; } = new(
        "gcg", "Greedy coordinate gradient", Phase.PostTuning, TechniqueRole.Attack, Touches.Inference,
        "https://arxiv.org/abs/2307.15043", "Searches a text behind the request, by gradients of its tokens, that makes the model comply; needs the weights to search, not to use it.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => new SuffixAttack(
        new() { Technique = Card.Id, Tokens = settings.Tokens, Requests = settings.Requests, TargetWords = settings.TargetWords, Individual = settings.Individual },
        new()
        {
            Allowed = [], Steps = settings.Steps, Candidates = settings.Candidates, TopK = settings.TopK, Swaps = settings.Swaps, Buffer = settings.Buffer, StopLoss = settings.StopLoss,
        },
        context).Wrap(inner);
}
