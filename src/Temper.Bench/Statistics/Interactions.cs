using Temper.Bench.Execution;
using Temper.Bench.Planning;
using Temper.Bench.Reports;
using Temper.Bench.Store;
using Temper.Bench.Studies;
using Temper.Lifecycle.Evaluation;

namespace Temper.Bench.Statistics;

/// <summary>What two defenses do together beyond what each does alone (methods.md C.4.2):
/// I = H(none) - H(a) - H(b) + H(a+b) on the probability scale, below zero synergy, above zero redundancy or antagonism; paired by question.</summary>
internal static class Interactions
{
    public static IReadOnlyList<Interaction> Of(Study study, StagePlan plan, IReadOnlyList<CellResult> cells, ObjectStore store)
    {
        var singles = study.Defenses.Where(d => d.Stack.Count == 1).ToDictionary(d => d.Stack[0], d => d.Name);
        if (!singles.Any(s => s.Key.Id == "none"))
        {
            return [];
        }

        var none = singles.First(s => s.Key.Id == "none").Value;
        var done = cells.Where(c => c.Status == CellStatus.Done).Select(c => c.Id).ToHashSet(StringComparer.Ordinal);
        var groups = plan.Cells.Where(c => done.Contains(c.Id)).GroupBy(c => c.Attack, StringComparer.Ordinal).ToArray();
        return
        [
            .. from pair in study.Defenses
               where pair.Stack.Count == 2 && pair.Stack.All(singles.ContainsKey)
               from attack in groups
               let found = Measure(attack, [none, singles[pair.Stack[0]], singles[pair.Stack[1]], pair.Name], store)
               where found is not null
               select new Interaction(attack.Key, singles[pair.Stack[0]], singles[pair.Stack[1]], found.Value, found.Low, found.High),
        ];
    }

    private static Interval? Measure(IEnumerable<Cell> cells, string[] defenses, ObjectStore store)
    {
        double[] signs = [1, -1, -1, 1];
        var values = new List<double>();
        foreach (var place in cells.GroupBy(c => (c.Model, c.Configuration, c.Seed)))
        {
            var four = defenses.Select(d => place.FirstOrDefault(c => c.Defense == d)).OfType<Cell>().Select(c => Hits(c, store)).ToArray();
            if (four.Length == 4)
            {
                values.AddRange(Enumerable.Range(0, four[0].Length).Select(i => signs.Select((s, k) => four[k][i] ? s : 0).Sum()));
            }
        }

        return values.Count == 0 ? null : Bootstrap.Mean(values);
    }

    /// <summary>The answers to the suite that shows the attack: its trigger where it has one, else the forbidden requests.</summary>
    public static bool[] Hits(Cell cell, ObjectStore store)
    {
        var scores = StageWorkspace.ReadLinesOf<ScoredSample>(Path.Combine(store.Folder(cell.MetricsKey), CellMetrics.ScoresFile)).ToLookup(s => s.Score.Suite, StringComparer.Ordinal);
        return [.. scores[scores.Contains(Suites.Triggered) ? Suites.Triggered : Suites.Harm].Select(s => s.Score.Hit)];
    }
}
