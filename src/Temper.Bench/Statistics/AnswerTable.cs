using Temper.Bench.Execution;
using Temper.Bench.Planning;
using Temper.Bench.Reports;
using Temper.Bench.Store;
using Temper.Lifecycle.Evaluation;

namespace Temper.Bench.Statistics;

/// <summary>Every answer of a study, in the configuration that counts at its place: the attacker's worst.</summary>
internal sealed class AnswerTable(StagePlan plan, StudyGrid grid, ObjectStore store)
{
    private readonly Dictionary<string, Cell> _cells = plan.Cells.ToDictionary(c => c.Id, StringComparer.Ordinal);
    private readonly Dictionary<(string Key, bool Utility), bool[]> _answers = [];

    /// <summary>A signed sum over defenses, question by question; one row for each place where all of them are done.</summary>
    /// <returns>Null where there is no such place.</returns>
    public Comparison? Compare(GridAttack attack, IReadOnlyList<(string Defense, double Sign)> terms, bool utility = false)
    {
        List<double[]> rows = [];
        foreach (var model in grid.Models)
        {
            var squares = terms.Select(t => grid.Defenses.FirstOrDefault(d => d.Id == t.Defense) is { } defense ? grid.At(model, attack, defense).Done : []).ToArray();
            foreach (var seed in squares[0].Select(c => c.Seed))
            {
                var cells = squares.Select(s => s.FirstOrDefault(c => c.Seed == seed)).OfType<CellResult>().ToArray();
                if (cells.Length == terms.Count)
                {
                    var answers = cells.Select(c => Of(_cells[c.Id], utility)).ToArray();
                    rows.Add([.. Enumerable.Range(0, answers.Min(a => a.Length)).Select(i => answers.Zip(terms, (a, t) => a[i] ? t.Sign : 0).Sum())]);
                }
            }
        }

        // places with fewer questions, as a backdoor on a task of its own has them, cannot stand in the same table
        var columns = rows.Count == 0 ? 0 : rows.Max(r => r.Length);
        return columns == 0 ? null : CrossedMean.Of([.. rows.Where(r => r.Length == columns)]);
    }

    private bool[] Of(Cell cell, bool utility)
    {
        if (!_answers.TryGetValue((cell.MetricsKey, utility), out var answers))
        {
            var scores = Scores(cell, store);
            _answers[(cell.MetricsKey, utility)] = answers = utility ? [.. scores[Suites.Skills].Select(s => s.Score.Hit)] : Hits(scores);
        }

        return answers;
    }

    /// <summary>The answers to the suite that shows the attack: its trigger where it has one, else the forbidden requests.</summary>
    public static bool[] Hits(Cell cell, ObjectStore store) => Hits(Scores(cell, store));

    private static bool[] Hits(ILookup<string, ScoredSample> scores) => [.. scores[scores.Contains(Suites.Triggered) ? Suites.Triggered : Suites.Harm].Select(s => s.Score.Hit)];

    private static ILookup<string, ScoredSample> Scores(Cell cell, ObjectStore store) =>
        StageWorkspace.ReadLinesOf<ScoredSample>(Path.Combine(store.Folder(cell.MetricsKey), CellMetrics.ScoresFile)).ToLookup(s => s.Score.Suite, StringComparer.Ordinal);
}
