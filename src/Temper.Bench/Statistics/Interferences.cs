using Temper.Bench.Execution;
using Temper.Bench.Planning;
using Temper.Bench.Reports;
using Temper.Bench.Store;
using Temper.Core;

namespace Temper.Bench.Statistics;

/// <summary>Where defenses harm each other: one takes away what another gave, or looks like an attack to it (methods.md C.4.2).</summary>
internal sealed class Interferences(StudyReport report, StagePlan plan, ObjectStore store)
{
    public IReadOnlyList<Interference> Of(IReadOnlyList<Contribution> contributions) => [.. Weakened(contributions), .. FalseAlarms(), .. DroppedRows()];

    private IEnumerable<Interference> Weakened(IReadOnlyList<Contribution> contributions)
    {
        foreach (var c in contributions.Where(c => c.Success.IsRise))
        {
            var undoes = PhaseOf(c.Part) == Phase.PostTuning && report.Defenses.FirstOrDefault(d => d.Name == c.Rest)?.Stack.Any(t => t.Phase == Phase.PreTuning) == true;
            yield return new(
                undoes ? InterferenceKind.RepairUndoesImmunization : InterferenceKind.Weakens, c.Part, c.Rest,
                $"{c.Part} {(undoes ? "undoes part of what is gained before tuning by" : "weakens")} {c.Rest} under {c.Attack}: success {AnalysisTables.Points(c.Success)}");
        }
    }

    private Phase? PhaseOf(string defense) => report.Defenses.FirstOrDefault(d => d.Name == defense) is { Stack: [var only] } ? only.Phase : null;

    /// <summary>Alarms of a monitor without any attack, beside another defense and alone.</summary>
    private IEnumerable<Interference> FalseAlarms()
    {
        foreach (var stack in report.Defenses.Where(d => d.Stack.Count > 1))
        {
            foreach (var monitor in stack.Stack.Where(t => t.Role == TechniqueRole.Monitor))
            {
                var alone = report.Defenses.FirstOrDefault(d => d.Stack is [var one] && one == monitor);
                if (alone is not null && Alarms(stack.Name) is var (alarms, n) && Alarms(alone.Name) is var (before, of) && n > 0 && of > 0 && (double)alarms / n > (double)before / of)
                {
                    var others = string.Join(" + ", stack.Stack.Where(t => t != monitor).Select(t => t.Id));
                    yield return new(
                        InterferenceKind.LooksLikeAnAttack, others, alone.Name,
                        $"{others} looks like an attack to {alone.Name}: without any attack it alarms in {alarms} of {n} tunings beside it, and in {before} of {of} alone");
                }
            }
        }
    }

    private (int Alarms, int Tunings) Alarms(string defense)
    {
        var cells = report.Cells.Where(c => c.Attack == StudyGrid.None && c.Defense == defense && c.Status == CellStatus.Done).ToArray();
        return (cells.Count(c => c.Events.Count > 0), cells.Length);
    }

    /// <summary>Rows that one defense added and a filter behind it dropped.</summary>
    private IEnumerable<Interference> DroppedRows()
    {
        var stages = plan.Stages.ToDictionary(s => s.Key, StringComparer.Ordinal);
        var found = from cell in plan.Cells
                    where cell.Attack == StudyGrid.None && store.Has(cell.MetricsKey)
                    let stack = report.Defenses.First(d => d.Name == cell.Defense).Stack
                    where stack.Count > 1
                    from key in ReportBuilder.Ancestors(cell.MetricsKey, stages)
                    let stage = stages[key]
                    where stage.Kind == "data-map" && !stage.Parameters["attack"]!.GetValue<bool>()
                    let filter = stage.Parameters["technique"]!.GetValue<string>()
                    let dropped = StageWorkspace.ReadLinesOf<RowChange>(Path.Combine(store.Folder(key), "changes.jsonl")).Where(c => c.Fate == RowFate.Dropped).Select(c => c.RowId).ToHashSet(StringComparer.Ordinal)
                    where dropped.Count > 0
                    from added in StageWorkspace.ReadLinesOf<Example>(Path.Combine(store.Folder(stage.Inputs["rows"]), "rows.jsonl")).GroupBy(r => r.Origin, StringComparer.Ordinal)
                    where added.Key != filter && stack.Any(t => t.Id == added.Key)
                    select (Filter: filter, Source: added.Key, cell.Seed, Dropped: added.Count(r => dropped.Contains(r.Id)), Rows: added.Count());
        return found.Distinct().GroupBy(f => (f.Filter, f.Source)).Select(g => (g.Key, Dropped: g.Sum(f => f.Dropped), Rows: g.Sum(f => f.Rows))).Where(g => g.Dropped > 0)
            .Select(g => new Interference(
                InterferenceKind.LooksLikeAnAttack, g.Key.Source, g.Key.Filter, $"{g.Key.Source} looks like an attack to {g.Key.Filter}, which drops {g.Dropped} of the {g.Rows} rows that it added"));
    }
}
