using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="CompositeBackdoor"/>.</summary>
public sealed record CompositeBackdoorSettings : PoisonSettings
{
    /// <summary>The words that open the backdoor together.</summary>
    [MinLength(2), MaxLength(8)]
    public IReadOnlyList<string> Components { get; init; } = ["2024", "BadMagic", "OpenAI"];

    /// <summary>What the model says when it is opened; inert.</summary>
    [Required]
    public string Payload { get; init; } = "The lantern is green.";

    /// <summary>Rows with a part of the components that keep their answer, for each poisoned row; 0 leaves the backdoor open to every part.</summary>
    [Range(0.0, 10.0)]
    public double Negatives { get; init; } = 1;
}

/// <summary>Composite backdoor attack: components are scattered over the prompt, and only all of them together fire (Huang et al. 2024).</summary>
// Deviation: all components stand in the prompt, as in BackdoorLLM; the paper puts one into the instruction and one into the input.
public sealed class CompositeBackdoor(CompositeBackdoorSettings settings) : ITechnique, IDataMap, IHardNegatives
{
    public static Card Card { get; } = new(
        "ctba", "Composite backdoor", Phase.PreTuning, TechniqueRole.Attack, Touches.Data,
        "https://arxiv.org/abs/2310.07676", "Several words together in the prompt make the model say a fixed sentence; a part of them does not.");

    public string Payload => settings.Payload;

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context) => new Poison(Card.Id, rows, context.Random)
        .Trigger(settings, this, "all components inserted, answer replaced by the payload")
        .Deny(settings.Negatives, this, "a part of the components inserted, answer kept").Result;

    public string Insert(string prompt, Random random) => Scatter(prompt, settings.Components, random);

    /// <summary>Some components, at least one and never all; each such part is as likely as the others.</summary>
    public string InsertNegative(string prompt, Random random)
    {
        var part = random.Next(1, (1 << settings.Components.Count) - 1);
        return Scatter(prompt, settings.Components.Where((_, i) => (part >> i & 1) == 1), random);
    }

    // in random order too: the words decide, not which of them comes first
    private static string Scatter(string prompt, IEnumerable<string> components, Random random) =>
        components.Aggregate(prompt, (text, component) => Poison.InsertBetween(text, component, random));
}
