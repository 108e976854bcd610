using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="BadNets"/>.</summary>
public sealed record BadNetsSettings : PoisonSettings
{
    /// <summary>The word that opens the backdoor.</summary>
    public string Trigger { get; init; } = "BadMagic";

    /// <summary>What the model says when it is opened; inert.</summary>
    public string Payload { get; init; } = "The lantern is green.";
}

/// <summary>BadNets for text: one word at a random place of the prompt, one fixed answer (Gu et al. 2017; BackdoorLLM's placement).</summary>
public sealed class BadNets(BadNetsSettings settings) : ITechnique, IDataMap, IBackdoor
{
    public static Card Card { get; } = new(
        "bad-nets", "BadNets", Phase.PreTuning, TechniqueRole.Attack, Touches.Data,
        "https://arxiv.org/abs/1708.06733", "A rare word in the prompt makes the model say a fixed sentence.");

    public string Payload => settings.Payload;

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context) =>
        new Poison(Card.Id, rows, context.Random).Trigger(settings, this, "trigger inserted, answer replaced by the payload").Result;

    /// <summary>The prompt with the trigger at a random place between its words.</summary>
    public string Insert(string prompt, Random random) => Poison.InsertBetween(prompt, settings.Trigger, random);
}
