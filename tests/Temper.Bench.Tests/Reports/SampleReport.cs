using Temper.Bench.Reports;
using Temper.Core;

namespace Temper.Bench.Tests.Reports;

/// <summary>A small study with every case a report must show: grid, failed cell, metric not measured, curve, events, replies.</summary>
internal static class SampleReport
{
    public static Metric Rate(string name, double value, int n = 200) => new(name, value, n, Math.Max(0, value - 0.05), Math.Min(1, value + 0.05),
        name is MetricNames.Utility or MetricNames.Coherence or MetricNames.JudgeAgreement ? Direction.HigherIsBetter : Direction.LowerIsSafer);

    public static CellResult Cell(string attack, Phase attackPhase, string defense, Phase? defensePhase, double success, double utility, int seed = 1) =>
        new($"{attack}+{defense}+{seed}", "llama-s", attack, attackPhase, defense, defensePhase, seed, CellStatus.Done, null,
            [Rate(MetricNames.Harm, success), Metric.NotMeasured(MetricNames.Asr, Direction.LowerIsSafer, "the attack plants no trigger"),
             Rate(MetricNames.Utility, utility), Rate(MetricNames.OverRefusal, 0.02), Rate(MetricNames.Coherence, 0.99),
             Rate(MetricNames.JudgeAgreement, 0.97)],
            12.5, [], [], []);

    public static CellResult Failed(string attack, Phase attackPhase, string defense, Phase? defensePhase, string reason) =>
        Cell(attack, attackPhase, defense, defensePhase, 0, 0) with { Status = CellStatus.Failed, Reason = reason, Metrics = [] };

    public static StudyReport Of(params CellResult[] cells) => new(
        StudyReport.CurrentSchema, "sample", "Every case a report must show.", "The verdict.", cells, [], new(cells.Length, cells.Length * 4, cells.Length * 3),
        "attacks: [harmful-rows]\n", [], new(61.2, new Dictionary<string, double> { ["tune"] = 40, ["evaluate"] = 21.2 }, "16 cores"));
}
