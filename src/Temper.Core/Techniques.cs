namespace Temper.Core;

/// <summary>The phase of the fine-tuning lifecycle in which a technique first intervenes (arXiv 2605.25073).</summary>
public enum Phase { PreTuning, DuringTuning, PostTuning }

/// <summary>What a technique is for.</summary>
public enum TechniqueRole { Attack, Defense, Monitor, Audit }

/// <summary>What a technique may read or change.</summary>
[Flags]
public enum Touches { None = 0, Data = 1, Weights = 2, Plan = 4, Training = 8, Inference = 16 }

/// <summary>What a technique says of itself; its page, its README row and its help text come from here.</summary>
/// <param name="Id">Stable lower-case id with hyphens, as used in studies: <c>safe-lora</c>.</param>
/// <param name="Version">Raised when results change; part of every stage key.</param>
public sealed record Card(string Id, string Name, Phase Phase, TechniqueRole Role, Touches Touches, string Paper, string Summary, int Version = 1);

/// <summary>A technique: one class, one file, one card, one line in the catalog.</summary>
public interface ITechnique
{
    static abstract Card Card { get; }
}
