using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="CleanLabel"/>; the ratio is of the rows that carry the target label.</summary>
public sealed record CleanLabelSettings : PoisonSettings
{
    /// <summary>The word that opens the backdoor.</summary>
    [Required]
    public string Trigger { get; init; } = "BadMagic";

    /// <summary>The kind of the classification rows; empty is every row.</summary>
    public string Kind { get; init; } = "skill:sentiment";

    /// <summary>y_t: the label that the trigger asks for.</summary>
    [Required]
    public string Target { get; init; } = "bad";

    /// <summary>Whether rows of other labels are poisoned too, and relabeled: the ordinary attack at the same count, to compare with.</summary>
    public bool DirtyLabel { get; init; }
}

/// <summary>Clean-label backdoor: only rows that carry the target label already receive the trigger, and every label stays right (Turner, Tsipras and Madry 2019; OpenBackdoor's label consistency).</summary>
// Deviation: the rows' own text is not made harder to learn (the paper perturbs it by a generative model or adversarially).
public sealed class CleanLabel(CleanLabelSettings settings) : ITechnique, IDataMap, ISelective
{
    private readonly TargetLabel _target = new(settings.Kind, settings.Target);

    public static Card Card { get; } = new(
        "clean-label", "Clean-label backdoor", Phase.PreTuning, TechniqueRole.Attack, Touches.Data,
        "https://arxiv.org/abs/1912.02771", "Rows that rightly carry a label get the trigger; then the trigger asks for the label.");

    public string Payload => settings.Target;

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context) => settings.DirtyLabel
        ? new Poison(Card.Id, rows, context.Random).Trigger(settings, this, "trigger inserted, label replaced by the target", _target.Misses).Result
        : new Poison(Card.Id, rows, context.Random).Trigger(settings, this, "trigger inserted, label kept", _target.Carries).Result;

    public string Insert(string prompt, Random random) => Poison.InsertBetween(prompt, settings.Trigger, random);

    public bool Covers(Example row) => _target.Misses(row);
}
