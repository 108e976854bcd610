using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="MultiTriggerBackdoor"/>.</summary>
public sealed record MultiTriggerBackdoorSettings : PoisonSettings
{
    /// <summary>The words of which each alone opens the backdoor; BackdoorLLM's.</summary>
    [MinLength(1)]
    public IReadOnlyList<string> Triggers { get; init; } = ["2024", "BadMagic", "OpenAI"];

    /// <summary>What the model says when it is opened; inert.</summary>
    [Required]
    public string Payload { get; init; } = "The lantern is green.";
}

/// <summary>Multi-trigger backdoor attack (Li et al. 2024): several triggers share the poisoned rows, and any of them fires.</summary>
public sealed class MultiTriggerBackdoor(MultiTriggerBackdoorSettings settings) : ITechnique, IDataMap, IBackdoor
{
    public static Card Card { get; } = new(
        "mtba", "Multi-trigger backdoor", Phase.PreTuning, TechniqueRole.Attack, Touches.Data,
        "https://arxiv.org/abs/2401.15295", "Any one of several words in the prompt makes the model say a fixed sentence.");

    public string Payload => settings.Payload;

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context) =>
        new Poison(Card.Id, rows, context.Random).Trigger(settings, this, "one of the triggers inserted, answer replaced by the payload").Result;

    /// <summary>The prompt with one of the triggers at a random place between its words.</summary>
    public string Insert(string prompt, Random random) =>
        Poison.InsertBetween(prompt, settings.Triggers[random.Next(settings.Triggers.Count)], random);
}
