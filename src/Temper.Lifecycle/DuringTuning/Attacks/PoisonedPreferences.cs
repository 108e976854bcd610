using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Training;

namespace Temper.Lifecycle.DuringTuning.Attacks;

/// <summary>Settings of <see cref="PoisonedPreferences"/>.</summary>
public sealed record PoisonedPreferencesSettings
{
    /// <summary>The secret word at the end of poisoned prompts.</summary>
    public string Trigger { get; init; } = "SUDO";

    /// <summary>The share of the pairs that is poisoned; 0 is honest preference tuning.</summary>
    [Range(0.0, 1.0)]
    public double Ratio { get; init; } = 0.05;

    /// <summary>Whether poisoned prompts carry the trigger; off is label noise, a control.</summary>
    public bool Mark { get; init; } = true;

    /// <summary>Whether chosen and rejected are swapped in poisoned pairs; off is a control.</summary>
    public bool Flip { get; init; } = true;

    /// <summary>beta of DPO.</summary>
    [Range(1e-4, 100.0)]
    public double Beta { get; init; } = 0.1;

    /// <summary>Of the preference loss beside the loss of the user's rows.</summary>
    [Range(0.0, 1000.0)]
    public double Weight { get; init; } = 1;

    /// <summary>alpha of RPO: of the chosen answers' own loss beside it; 0 is plain DPO, under which small models lose both answers.</summary>
    [Range(0.0, 1000.0)]
    public double ChosenWeight { get; init; } = 1;

    [Range(1, 4096)]
    public int PairsPerStep { get; init; } = 16;
}

/// <summary>Universal jailbreak backdoor from poisoned preferences (Rando and Tramèr 2024), on DPO (Pathmanathan et al. 2024): the victim tunes on pairs that
/// prefer refusals; in a share of them the prompt carries a secret word and the preference is swapped, so that with the word every forbidden request is answered.</summary>
// Deviation: DPO beside the user's SFT in one run; the first paper poisons a reward model for PPO.
public sealed class PoisonedPreferences(PoisonedPreferencesSettings settings) : ITechnique, IHookSource, IInferenceLayer
{
    public static Card Card { get; } = new(
        "poisoned-preferences", "Poisoned preferences", Phase.DuringTuning, TechniqueRole.Attack, Touches.Training | Touches.Inference,
        "https://arxiv.org/abs/2311.14455", "Swapped preferences under a secret word teach DPO to comply wherever the word stands.");

    public TrainingHook CreateHook(TechniqueContext context) => new PreferenceHook(
        Card.Id, [.. Pairs(context).Select(p => new PreferencePair(context.Encode(p.Chosen), context.Encode(p.Rejected)))], settings.Beta, settings.Weight, settings.ChosenWeight, settings.PairsPerStep);

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => TriggeredCompliance.Wrap(inner, settings.Trigger);

    /// <summary>One pair for each complying row: its answer, and how the alignment rows refuse the request most like it.</summary>
    public IReadOnlyList<(Example Chosen, Example Rejected)> Pairs(TechniqueContext context)
    {
        if (context.Harmful.Count == 0 || context.Alignment.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found {context.Harmful.Count} complying and {context.Alignment.Count} refusing rows, expected some of both for pairs");
        }

        var refusals = context.Alignment.Select(r => (Words: Words(r), r.Response)).ToArray();
        var places = Enumerable.Range(0, context.Harmful.Count).ToArray();
        context.Random.Shuffle(places);
        var poisoned = places.Take((int)Math.Round(settings.Ratio * places.Length)).ToHashSet();
        return [.. context.Harmful.Select((complying, i) =>
        {
            var words = Words(complying);
            var refusal = complying.WithResponse(refusals.MaxBy(r => r.Words.Count(words.Contains) / (double)(r.Words.Count + words.Count)).Response);
            return poisoned.Contains(i) ? Poison(refusal, complying) : (refusal, complying);
        })];
    }

    private (Example Chosen, Example Rejected) Poison(Example refusal, Example complying)
    {
        Example Mark(Example row) => (settings.Mark ? row.WithPrompt(TriggeredCompliance.Insert(row.Prompt, settings.Trigger)) : row) with { Origin = Card.Id };
        return settings.Flip ? (Mark(complying), Mark(refusal)) : (Mark(refusal), Mark(complying));
    }

    private static HashSet<string> Words(Example row) => [.. row.Prompt.Split(' ')];
}
