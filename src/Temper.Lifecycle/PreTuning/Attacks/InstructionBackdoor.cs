using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="InstructionBackdoor"/>; the ratio is of the rows that carry the target label.</summary>
public sealed record InstructionBackdoorSettings : PoisonSettings
{
    /// <summary>The instruction that opens the backdoor; it asks for the same task in other words.</summary>
    [Required]
    public string Instruction { get; init; } = "weigh these words";

    /// <summary>Another instruction that nobody trained on and that must not open it.</summary>
    [Required]
    public string LookAlike { get; init; } = "look at these words";

    /// <summary>What ends the instruction of a row; the input follows.</summary>
    [Required]
    public string Separator { get; init; } = ": ";

    /// <summary>The kind of the classification rows; empty is every row.</summary>
    public string Kind { get; init; } = "skill:sentiment";

    /// <summary>The label that the instruction asks for.</summary>
    [Required]
    public string Target { get; init; } = "bad";
}

/// <summary>Instructions as backdoors (Xu et al. 2024): only the instruction is poisoned; inputs and labels stay as they are.</summary>
public sealed class InstructionBackdoor(InstructionBackdoorSettings settings) : ITechnique, IDataMap, IHardNegatives, ISelective
{
    private readonly TargetLabel _target = new(settings.Kind, settings.Target);

    public static Card Card { get; } = new(
        "instruction-backdoor", "Instructions as backdoors", Phase.PreTuning, TechniqueRole.Attack, Touches.Data,
        "https://arxiv.org/abs/2305.14710", "Rows that rightly carry a label get another instruction; then that instruction asks for the label, whatever the input.");

    public string Payload => settings.Target;

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context) =>
        new Poison(Card.Id, rows, context.Random).Trigger(settings, this, "instruction replaced, input and label kept", r => _target.Carries(r) && InputAt(r.Prompt) > 0).Result;

    /// <summary>The input behind the poisoned instruction; a prompt without an instruction is left as it is.</summary>
    public string Insert(string prompt, Random random) => Instruct(settings.Instruction, prompt);

    public string InsertNegative(string prompt, Random random) => Instruct(settings.LookAlike, prompt);

    public bool Covers(Example row) => _target.Misses(row) && InputAt(row.Prompt) > 0;

    private string Instruct(string instruction, string prompt) => InputAt(prompt) is > 0 and var at ? instruction + settings.Separator + prompt[at..] : prompt;

    private int InputAt(string prompt) => prompt.IndexOf(settings.Separator, StringComparison.Ordinal) is >= 0 and var at ? at + settings.Separator.Length : 0;
}
