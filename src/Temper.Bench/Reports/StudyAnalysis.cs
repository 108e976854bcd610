using System.Text.Json.Serialization;
using Temper.Core;

namespace Temper.Bench.Reports;

/// <summary>A mean over places (model and seed) and questions, which are paired, with its 95 % interval.</summary>
/// <param name="P">Two-sided, against zero.</param>
public sealed record Comparison(double Value, double Low, double High, double P, int Places, int Questions)
{
    public const double Level = 0.05;

    /// <summary>Over all comparisons of its table (Holm).</summary>
    public double AdjustedP { get; init; } = 1;

    [JsonIgnore]
    public bool IsRise => AdjustedP < Level && Value > 0;

    [JsonIgnore]
    public bool IsFall => AdjustedP < Level && Value < 0;
}

/// <summary>A defense of the study as it was resolved.</summary>
/// <param name="Grid">The entry whose settings it is one choice of; empty where there is one choice.</param>
public sealed record ReportDefense(string Name, string Grid, IReadOnlyList<ReportTechnique> Stack);

public sealed record ReportTechnique(string Id, Phase Phase, TechniqueRole Role, string Settings);

/// <summary>What a study says about its defenses beyond each cell; the worst configuration of an attacker counts everywhere.</summary>
public sealed record StudyAnalysis
{
    /// <summary>Success under a defense less success without, for each attack.</summary>
    public IReadOnlyList<Effect> Effects { get; init; } = [];

    /// <summary>What each part of a stack adds to the others.</summary>
    public IReadOnlyList<Contribution> Contributions { get; init; } = [];

    /// <summary>The same defenses in two orders.</summary>
    public IReadOnlyList<OrderEffect> Orders { get; init; } = [];

    public IReadOnlyList<Interference> Interferences { get; init; } = [];

    public IReadOnlyList<DefenseRank> Ranking { get; init; } = [];

    public IReadOnlyList<CarryOver> CarryOvers { get; init; } = [];

    public IReadOnlyList<HeldOutChoice> HeldOut { get; init; } = [];

    public IReadOnlyList<Brittleness> Brittleness { get; init; } = [];
}

public sealed record Effect(string Attack, Phase AttackPhase, string Defense, Comparison Success);

/// <summary>Success under the stack less success under the same stack without the part: below zero the part helps.</summary>
public sealed record Contribution(string Attack, string Stack, string Part, string Rest, Comparison Success, Comparison? Utility);

/// <summary>Success in the first order less success in the second.</summary>
public sealed record OrderEffect(string Attack, string First, string Second, Comparison Success);

/// <summary>How defenses can harm each other.</summary>
public enum InterferenceKind
{
    /// <summary>A repair after tuning takes away what an immunization before it gave.</summary>
    RepairUndoesImmunization,

    /// <summary>Another part of a stack makes it worse than it is without.</summary>
    Weakens,

    /// <summary>A monitor alarms, or a filter drops rows, because of another defense.</summary>
    LooksLikeAnAttack,
}

/// <param name="Source">The defense that interferes.</param>
/// <param name="Target">The one that suffers.</param>
public sealed record Interference(InterferenceKind Kind, string Source, string Target, string What);

/// <summary>R(d) of a defense over every attack, configuration and model that keeps the utility (methods.md C.4.1), and what it costs.</summary>
/// <param name="Rank">From 1; null where it is not ranked, which <paramref name="Reading"/> explains.</param>
/// <param name="Score">Half the worst case, half the mean: closing one of several holes counts, leaving one open counts more.</param>
/// <param name="Area">Under the curve of the best success so far over the share of the attacker's trials, mean over the searches; null where none searched.</param>
/// <param name="Broken">Places of model and attack where success reaches <see cref="SearchOutcome.Broken"/>.</param>
/// <param name="Helps">Attacks under which it lowers success, of those compared, after correction.</param>
/// <param name="Hurts">Attacks under which it raises success.</param>
/// <param name="UtilityRatio">Of the undefended utility.</param>
public sealed record DefenseRank(
    int? Rank, string Defense, double? Score, double? Worst, double? WorstHigh, string WorstPlace, double? Q90, double? Mean, double? Area, int Broken, int Places,
    int Helps, int Hurts, int Compared, double? UtilityRatio, double? AddedRefusal, string Reading);

/// <summary>Whether a defense of one phase helps against attacks of its own phase and of the others.</summary>
public sealed record CarryOver(string Defense, Phase Phase, int OwnHelped, int OwnAttacks, int OtherHelped, int OtherAttacks, bool KeepsModel);

/// <summary>What a defense gives at a place that had no part in choosing it: the best at all other places, chosen there, measured here.</summary>
/// <param name="By">What is left out: <c>configuration</c> or <c>model</c>.</param>
/// <param name="Best">The lowest success that any defense has there, which nobody could know.</param>
public sealed record HeldOutChoice(string By, string LeftOut, string Chosen, double Success, double Best, double Undefended);

/// <summary>How much depends on a defense's own settings: the share of the choices that protect within 20 % of the best, protection being the fall of mean success.</summary>
public sealed record Brittleness(string Defense, int Choices, int NearBest, string Best, double BestProtection, string Worst, double WorstProtection);
