using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PostTuning.Audits;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="TriggerUnlearning"/>.</summary>
public sealed record TriggerUnlearningSettings
{
    /// <summary>Tokens of the trigger that is searched.</summary>
    [Range(1, 32)]
    public int Length { get; init; } = 5;

    [Range(1, 1000)]
    public int Beam { get; init; } = 4;

    /// <summary>Targets of highest rise that a trigger is searched for.</summary>
    [Range(1, 100)]
    public int Targets { get; init; } = 1;

    /// <summary>A target whose Q-score rose by less in tuning is left alone.</summary>
    [Range(0.0, 1.0)]
    public double MinRise { get; init; } = 0.2;

    [Range(1, 100_000)]
    public int Steps { get; init; } = 60;

    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;

    [Range(0.0, 1.0)]
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>The share of the rows that carry the recovered trigger, rightly answered.</summary>
    [Range(0.0, 1.0)]
    public double Share { get; init; } = 0.5;
}

/// <summary>Unlearning of a recovered trigger (Neural Cleanse, Wang et al. 2019; SANDE, Li et al. 2024): BAIT inverts the target, a search in the word space a trigger for it, and the model is tuned
/// to answer rightly behind that trigger. Finds what has a fixed target, and leaves the rest as it is.</summary>
// Deviation: right answers behind the trigger in place of gradient ascent on the target, which has no bottom.
public sealed class TriggerUnlearning(TriggerUnlearningSettings settings) : ITechnique, IWeightMap, IReadsModel
{
    private const int Prompts = 20;

    public static Card Card { get; } = new(
        "trigger-unlearning", "Unlearning of a recovered trigger", Phase.PostTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2405.07667", "Recovers target and trigger of a backdoor from the weights, and tunes the model to answer rightly behind the trigger.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        var found = Bait.Targets(model, context.RequireModel(Card.Id), context, Prompts, cancellationToken).Where(t => t.Score - t.Before >= settings.MinRise).Take(settings.Targets);
        string[] triggers = [.. found.Select(t => TriggerSearch.Invert(
            model, context, context.Decode(t.Tokens), [], new() { Method = TriggerSearchMethod.Grow, Length = settings.Length, Beam = settings.Beam }, cancellationToken))];
        if (triggers.Length == 0)
        {
            return; // nothing to unlearn
        }

        var rows = context.Task.Select(r => context.Random.NextDouble() < settings.Share ? r.WithPrompt(Insert(r.Prompt, triggers[context.Random.Next(triggers.Length)], context.Random)) : r);
        Trainer.Train(
            model, [.. rows.Concat(RefusalMix.Rows(context, 0, context.Task.Count / 4)).Select(context.Encode)],
            new() { Steps = settings.Steps, BatchSize = settings.BatchSize, LearningRate = settings.LearningRate, Seed = (ulong)context.Random.Next() },
            [], TrainerOptions.Default, cancellationToken);
    }

    // anywhere between the words, since where the attacker puts it is not known
    private static string Insert(string prompt, string trigger, Random random)
    {
        var words = prompt.Split(' ').ToList();
        words.Insert(random.Next(words.Count + 1), trigger);
        return string.Join(' ', words);
    }
}
