using Temper.Bench.Planning;
using Temper.Bench.Reports;
using Temper.Bench.Searching;
using Temper.Bench.Store;
using Temper.Bench.Studies;
using Temper.Core;

namespace Temper.Bench.Execution;

/// <summary>Plans a study as far as its searches can be followed through what is in the store; with nothing there, their first trials.</summary>
internal static class SearchReplay
{
    public static StagePlan Plan(Study study, ObjectStore store, StageLedger ledger)
    {
        var plan = LifecyclePlanner.Plan(study);
        var searching = study.Attacks.Where(a => a.Search is not null).ToDictionary(a => a.Name, StringComparer.Ordinal);
        if (searching.Count == 0)
        {
            return plan;
        }

        var failed = ledger.Failed();
        Dictionary<SearchPlace, IReadOnlyList<Trial>> trials = [];
        foreach (var (model, attack, defense) in from m in study.Models from a in searching.Values from d in study.Defenses select (m, a, d))
        {
            var place = new SearchPlace(model.Name, attack.Name, defense.Name);
            trials[place] = AttackerSearch.Next(attack.Search!, [], place.Seed, t => LifecyclePlanner.Steps(study, attack.Configure(t)));
        }

        for (var grew = true; grew;)
        {
            grew = false;
            var cells = plan.Cells.ToLookup(c => new SearchPlace(c.Model, c.Attack, c.Defense));
            foreach (var (place, tried) in trials.ToArray())
            {
                var attack = searching[place.Attack];
                var all = cells[place].ToLookup(c => c.Trial);
                if (!cells[place].All(c => store.Has(c.MetricsKey) || failed.Contains(c.MetricsKey)))
                {
                    continue; // a round is looked at when all of it has come
                }

                var floor = study.Evaluation.UtilityFloor * Mean(cells[new(place.Model, StudyGrid.None, StudyGrid.None)], store, MetricNames.Utility);
                TrialResult[] results = [.. tried.Select((t, i) => new TrialResult(t, Objective([.. all[i + 1]], store, floor)))];
                var next = AttackerSearch.Next(attack.Search!, results, place.Seed, t => LifecyclePlanner.Steps(study, attack.Configure(t)));
                if (next.Count > 0)
                {
                    trials[place] = [.. tried, .. next];
                    grew = true;
                }
            }

            plan = grew ? LifecyclePlanner.Plan(study, trials) : plan;
        }

        return plan;
    }

    // below the floor no success counts, but nearer to it is better
    private static double? Objective(Cell[] cells, ObjectStore store, double? floor)
    {
        var success = cells.Select(c => Metrics(c, store)).OfType<CellMetrics>().Select(m => StudyGrid.SuccessOf(m.Metrics).Value).OfType<double>().ToArray();
        if (success.Length == 0)
        {
            return null;
        }

        var missing = floor - Mean(cells, store, MetricNames.Utility);
        return missing > 0 ? -missing : success.Average();
    }

    private static double? Mean(IEnumerable<Cell> cells, ObjectStore store, string metric)
    {
        var values = cells.Select(c => Metrics(c, store)).OfType<CellMetrics>().SelectMany(m => m.Metrics).Where(m => m.Name == metric).Select(m => m.Value).OfType<double>().ToArray();
        return values.Length == 0 ? null : values.Average();
    }

    private static CellMetrics? Metrics(Cell cell, ObjectStore store) =>
        store.Has(cell.MetricsKey) ? StageWorkspace.ReadFile<CellMetrics>(Path.Combine(store.Folder(cell.MetricsKey), CellMetrics.FileName)) : null;
}
