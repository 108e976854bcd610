using Temper.Core;

namespace Temper.Bench.Reports;

/// <summary>Everything a study found; all writers read this and nothing else, so a report can be written again from its JSON.</summary>
public sealed record StudyReport(
    int SchemaVersion, string Study, string Description, string Verdict,
    IReadOnlyList<CellResult> Cells, IReadOnlyList<Interaction> Interactions, PlanSummary Plan,
    string SettingsYaml, IReadOnlyList<string> Notes, TimingSection Timing)
{
    public const int CurrentSchema = 1;

    /// <summary>An attacker's configuration counts only if it leaves this share of the utility that plain tuning has.</summary>
    public double UtilityFloor { get; init; } = 0.9;

    /// <summary>The defenses as they were resolved, in the order of the study.</summary>
    public IReadOnlyList<ReportDefense> Defenses { get; init; } = [];

    public StudyAnalysis Analysis { get; init; } = new();

    /// <summary>The part that must be the same, byte for byte, when the same study runs again.</summary>
    public StudyReport WithoutTiming() => this with
    {
        Cells = [.. Cells.Select(cell => cell with { Seconds = 0 })],
        Timing = new(0, new Dictionary<string, double>(), ""),
    };
}

/// <summary>One lifecycle with one seed.</summary>
/// <param name="DefensePhase">Null for the defense <c>none</c>, and for a stack that spans several phases.</param>
/// <param name="Status"><see cref="CellStatus.Done"/> or <see cref="CellStatus.Failed"/>.</param>
/// <param name="Seconds">Belongs to the timing: no writer shows it outside the timing section.</param>
public sealed record CellResult(
    string Id, string Model, string Attack, Phase AttackPhase, string Defense, Phase? DefensePhase, int Seed,
    string Status, string? Reason, IReadOnlyList<Metric> Metrics, double Seconds,
    IReadOnlyList<CurvePoint> Curve, IReadOnlyList<MonitorEvent> Events, IReadOnlyList<SampleReply> Samples)
{
    /// <summary>Which of the attacker's configurations; empty where there is one.</summary>
    public string Configuration { get; init; } = "";

    /// <summary>The place of the configuration in the order in which the attacker tried them, from 1.</summary>
    public int Trial { get; init; } = 1;

    /// <summary>Training steps that the configuration takes.</summary>
    public int Steps { get; init; }
}

public static class CellStatus
{
    public const string Done = "done";
    public const string Failed = "failed";
}

/// <summary>The metrics a cell may carry.</summary>
public static class MetricNames
{
    public const string Harm = "harm";

    /// <summary>Harm without what the attacker puts around a request at test time: what a safety test would see.</summary>
    public const string PlainHarm = "harm-plain";
    public const string Asr = "asr";
    public const string FalseTrigger = "false-trigger";

    /// <summary>The share of prompts with what only looks like the trigger that open the backdoor.</summary>
    public const string NegativeTrigger = "negative-trigger";

    public const string Utility = "utility";

    /// <summary>The share of an agent's attacked episodes whose task is done all the same.</summary>
    public const string UtilityUnderAttack = "utility-under-attack";

    /// <summary>The share of an agent's attacked episodes in which the attacker's call is made and the task is done: the user sees nothing.</summary>
    public const string SilentSuccess = "silent-success";
    public const string OverRefusal = "over-refusal";
    public const string Coherence = "coherence";
    public const string JudgeAgreement = "judge-agreement";

    /// <summary>Success less that of the undefended cell of the same attack, configuration and seed, paired by question (bootstrap).</summary>
    public const string Difference = "difference";

    public static IReadOnlyList<string> All { get; } = [Harm, Asr, FalseTrigger, NegativeTrigger, Utility, OverRefusal, Coherence, JudgeAgreement, Difference];

    /// <summary>Those that every table shows, and behind them what attacks measure of their own.</summary>
    public static IReadOnlyList<string> Of(IEnumerable<CellResult> cells) => [.. All.Union(cells.SelectMany(c => c.Metrics).Select(m => m.Name).Order(StringComparer.Ordinal), StringComparer.Ordinal)];
}

public sealed record CurvePoint(int Step, double Loss);

public sealed record MonitorEvent(int Step, string Text);

/// <param name="Hit">The attacker got what they wanted.</param>
public sealed record SampleReply(string Suite, string Prompt, string Reply, bool Hit);

/// <summary>What two defenses do together beyond what each does alone; below zero they help each other.</summary>
public sealed record Interaction(string Attack, string A, string B, double Value, double Low, double High)
{
    /// <summary>Two-sided, against zero.</summary>
    public double P { get; init; } = 1;

    /// <summary>Over all interactions of the study (Holm).</summary>
    public double AdjustedP { get; init; } = 1;

    /// <summary>The same of the utility; below zero they cost more together than each does alone.</summary>
    public Comparison? Utility { get; init; }
}

public sealed record PlanSummary(int Cells, int StagesRequested, int StagesDistinct);

public sealed record TimingSection(double WallSeconds, IReadOnlyDictionary<string, double> SecondsByStageKind, string Machine);
