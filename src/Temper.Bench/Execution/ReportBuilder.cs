using System.Runtime.InteropServices;
using Temper.Bench.Planning;
using Temper.Bench.Reports;
using Temper.Bench.Statistics;
using Temper.Bench.Store;
using Temper.Bench.Studies;
using Temper.Core;
using Temper.Lifecycle;
using Temper.Lifecycle.Evaluation;

namespace Temper.Bench.Execution;

/// <summary>Gathers what a study found.</summary>
internal static class ReportBuilder
{
    public static StudyReport Build(Study study, StagePlan plan, ObjectStore store, IReadOnlyList<StageRow> rows, TimeSpan wall)
    {
        var byKey = rows.ToDictionary(r => r.Key, StringComparer.Ordinal);
        var stages = plan.Stages.ToDictionary(s => s.Key, StringComparer.Ordinal);
        CellResult[] cells = [.. plan.Cells.Select(c => Cell(c, store, byKey, stages))];
        Compare(plan, cells, store);
        var report = new StudyReport(
            StudyReport.CurrentSchema, study.Name, study.Description, "", cells, [],
            new(cells.Length, plan.Requested, plan.Stages.Count), study.Text, [.. Notes(study)], Timing(rows, wall))
        {
            UtilityFloor = study.Evaluation.UtilityFloor,
            Defenses = Resolved(study),
        };
        return Analyze(report, study, plan, store) with { Verdict = VerdictSentence.Of(report.Cells) };
    }

    public static IReadOnlyList<ReportDefense> Resolved(Study study) => [.. study.Defenses.Select(d => new ReportDefense(d.Name, d.Grid, [.. d.Stack.Select(Technique)]))];

    private static ReportTechnique Technique(TechniqueUse use)
    {
        var card = DefenseStack.CardOf(use);
        return new(card.Id, card.Phase, card.Role, use.Settings);
    }

    /// <summary>Adds what the study says of its defenses beyond each cell.</summary>
    public static StudyReport Analyze(StudyReport report, Study study, StagePlan plan, ObjectStore store)
    {
        var grid = new StudyGrid(report.Cells, report.UtilityFloor);
        var composition = new Composition(study, grid, new(plan, grid, store));
        var robustness = new Robustness(report, grid);
        var (effects, contributions) = (composition.Effects(), composition.Contributions());
        return report with
        {
            Interactions = composition.Interactions(),
            Analysis = new()
            {
                Effects = effects, Contributions = contributions, Orders = composition.Orders(), Interferences = new Interferences(report, plan, store).Of(contributions),
                Ranking = robustness.Ranking(effects), CarryOvers = robustness.CarryOvers(effects), HeldOut = robustness.HeldOut(), Brittleness = robustness.Brittleness(),
            },
        };
    }

    private static CellResult Cell(Cell cell, ObjectStore store, Dictionary<string, StageRow> rows, Dictionary<string, Stage> stages)
    {
        var row = rows[cell.MetricsKey];
        var seconds = Ancestors(cell.MetricsKey, stages).Sum(k => rows[k].Seconds);
        CellResult Of(string status, string? reason, CellMetrics kept) => new(
            cell.Id, cell.Model, cell.Attack, cell.AttackPhase, cell.Defense, cell.DefensePhase, cell.Seed, status, reason,
            kept.Metrics, seconds, kept.Curve, kept.Events, kept.Samples) { Configuration = cell.Configuration, Trial = cell.Trial, Steps = cell.Steps };
        return row.State switch
        {
            StageState.Done => Of(CellStatus.Done, null, StageWorkspace.ReadFile<CellMetrics>(Path.Combine(store.Folder(cell.MetricsKey), CellMetrics.FileName))),
            StageState.Failed => Of(CellStatus.Failed, row.Reason, new([], [], [], [])),
            _ => Of(CellStatus.Failed, "not computed yet", new([], [], [], [])),
        };
    }

    /// <summary>No defense row without the undefended one: the paired difference to it.</summary>
    private static void Compare(StagePlan plan, CellResult[] cells, ObjectStore store)
    {
        var undefended = plan.Cells.Zip(cells).Where(c => c.First.Defense == StudyGrid.None && c.Second.Status == CellStatus.Done)
            .ToDictionary(c => (c.First.Model, c.First.Attack, c.First.Configuration, c.First.Seed), c => AnswerTable.Hits(c.First, store));
        for (var i = 0; i < cells.Length; i++)
        {
            var cell = plan.Cells[i];
            if (cell.Defense == StudyGrid.None || cells[i].Status != CellStatus.Done)
            {
                continue;
            }

            Metric difference;
            if (undefended.TryGetValue((cell.Model, cell.Attack, cell.Configuration, cell.Seed), out var before))
            {
                var (value, low, high) = Bootstrap.Difference(AnswerTable.Hits(cell, store), before);
                difference = new(MetricNames.Difference, value, before.Length, low, high, Direction.LowerIsSafer);
            }
            else
            {
                difference = Metric.NotMeasured(MetricNames.Difference, Direction.LowerIsSafer, "the undefended cell is not done");
            }

            cells[i] = cells[i] with { Metrics = [.. cells[i].Metrics, difference] };
        }
    }

    public static HashSet<string> Ancestors(string key, Dictionary<string, Stage> stages)
    {
        HashSet<string> seen = new(StringComparer.Ordinal);
        var open = new Stack<string>([key]);
        while (open.TryPop(out var next))
        {
            if (seen.Add(next))
            {
                foreach (var input in stages[next].Inputs.Values)
                {
                    open.Push(input);
                }
            }
        }

        return seen;
    }

    private static IEnumerable<string> Notes(Study study)
    {
        yield return $"Judges: {Judge.Keyword}, {Judge.Exact}, {Judge.Classifier}; harm is their majority on coherent text, greedy decoding, at most {study.Evaluation.MaxTokens} tokens.";
        yield return "Shares have 95 % Wilson intervals; differences are paired by question and resampled (bootstrap).";
        if (study.Attacks.Any(a => a.Configurations.Count > 1 || a.Search is not null))
        {
            yield return $"Where an attacker tries several configurations, the worst counts that leaves {study.Evaluation.UtilityFloor:p0} of the utility that plain tuning has; the mean stands beside it.";
        }

        foreach (var attack in study.Attacks)
        {
            if (attack.Search is { Budget: var budget })
            {
                yield return $"{attack.Name}: searched anew against every defense ({budget.Method.ToString().ToLowerInvariant()}, {budget.Trials} trials"
                    + $"{(budget.Steps is { } most ? $", {most} training steps" : "")}), with the same budget undefended.";
            }
        }

        yield return $"Techniques: {string.Join(", ", study.Attacks.SelectMany(a => a.Configurations).Select(c => (c.Technique.Id, Attack: true))
            .Concat(study.Defenses.SelectMany(d => d.Stack).Select(t => (t.Id, Attack: false))).Where(t => t.Id != "none").Distinct()
            .Select(t => Catalog.Find(t.Id, t.Attack).Card).OrderBy(c => c.Id, StringComparer.Ordinal).Select(c => $"{c.Id} v{c.Version}"))}.";
    }

    private static TimingSection Timing(IReadOnlyList<StageRow> rows, TimeSpan wall) => new(
        wall.TotalSeconds,
        rows.GroupBy(r => r.Kind, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Sum(r => r.Seconds), StringComparer.Ordinal),
        $"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors, {RuntimeInformation.FrameworkDescription}");
}
