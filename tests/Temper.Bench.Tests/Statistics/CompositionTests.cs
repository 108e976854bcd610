using System.Text.Json;
using Temper.Bench.Execution;
using Temper.Bench.Planning;
using Temper.Bench.Reports;
using Temper.Bench.Statistics;
using Temper.Bench.Store;
using Temper.Bench.Studies;
using Temper.Bench.Tests.Reports;
using Temper.Core;
using Temper.Lifecycle.Evaluation;

namespace Temper.Bench.Tests.Statistics;

/// <summary>Studies whose answers are known: each defense lets a known number of 100 requests through.</summary>
public sealed class CompositionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("temper-composition").FullName;

    [Fact]
    public void Defenses_that_close_different_holes_are_a_synergy_of_known_size_only_where_they_do_more_than_the_sum()
    {
        // alone each stops 20 of 100, together all: I = 1 - 0.8 - 0.8 + 0 = -0.6
        var report = Analyze([("none", 0, 100), ("vaccine", 0, 80), ("lisa", 20, 100), ("vaccine + lisa", 0, 0)]);

        var found = Assert.Single(report.Interactions);
        Assert.Equal(-0.6, found.Value, 12);
        Assert.True(found is { AdjustedP: < 0.001, High: < 0, Low: < -0.6 }, $"{found}");
        Assert.StartsWith("synergy", AnalysisTables.Reading(found, report.Analysis.Contributions), StringComparison.Ordinal);
        Assert.All(report.Analysis.Contributions, c => Assert.True(c.Success.IsFall));
        Assert.Empty(report.Analysis.Interferences);
    }

    [Fact]
    public void Defenses_that_close_the_same_hole_are_redundant_and_not_antagonists()
    {
        var report = Analyze([("none", 0, 100), ("vaccine", 0, 10), ("lisa", 0, 10), ("vaccine + lisa", 0, 10)]);

        var found = Assert.Single(report.Interactions);
        Assert.Equal(0.9, found.Value, 12);
        Assert.StartsWith("redundancy", AnalysisTables.Reading(found, report.Analysis.Contributions), StringComparison.Ordinal);
        Assert.All(report.Analysis.Contributions, c => Assert.False(c.Success.IsFall || c.Success.IsRise));
    }

    [Fact]
    public void A_repair_that_undoes_an_immunization_is_named()
    {
        var report = Analyze([("none", 0, 100), ("vaccine", 0, 10), ("fine-pruning", 0, 90), ("vaccine + fine-pruning", 0, 70)]);

        Assert.StartsWith("antagonism", AnalysisTables.Reading(report.Interactions[0], report.Analysis.Contributions), StringComparison.Ordinal);
        var found = Assert.Single(report.Analysis.Interferences);
        Assert.Equal((InterferenceKind.RepairUndoesImmunization, "fine-pruning", "vaccine"), (found.Kind, found.Source, found.Target));
        Assert.Contains("+60.0 [", found.What, StringComparison.Ordinal);
    }

    [Fact]
    public void The_order_of_two_repairs_is_compared()
    {
        var report = Analyze([("none", 0, 100), ("safe-lora + fine-pruning", 0, 20), ("fine-pruning + safe-lora", 0, 60)]);

        var found = Assert.Single(report.Analysis.Orders);
        Assert.Equal(("safe-lora + fine-pruning", "fine-pruning + safe-lora"), (found.First, found.Second));
        Assert.Equal(-0.4, found.Success.Value, 12);
        Assert.True(found.Success.IsFall);
        Assert.Empty(report.Interactions);
    }

    [Fact]
    public void A_defense_that_alarms_the_monitor_is_named()
    {
        var report = Analyze([("none", 0, 100), ("lisa", 0, 10), ("drift-monitor", 0, 50), ("lisa + drift-monitor", 0, 10)], attack: "none", alarms: "lisa + drift-monitor");

        var found = Assert.Single(report.Analysis.Interferences);
        Assert.Equal((InterferenceKind.LooksLikeAnAttack, "lisa", "drift-monitor"), (found.Kind, found.Source, found.Target));
        Assert.Contains("alarms in 2 of 2 tunings beside it, and in 0 of 2 alone", found.What, StringComparison.Ordinal);
    }

    [Fact]
    public void A_defense_whose_rows_a_filter_drops_is_named()
    {
        var report = Analyze([("none", 0, 100), ("spectral-signatures", 0, 90), ("spectral-signatures + safe-instr", 0, 50)], attack: "none", filtered: "safe-instr");

        var found = Assert.Single(report.Analysis.Interferences);
        Assert.Equal((InterferenceKind.LooksLikeAnAttack, "safe-instr", "spectral-signatures"), (found.Kind, found.Source, found.Target));
        Assert.Contains("drops 4 of the 6 rows that it added", found.What, StringComparison.Ordinal); // two seeds
    }

    [Fact]
    public void What_chance_can_explain_is_not_told_apart_from_nothing()
    {
        var report = Analyze([("none", 0, 100), ("vaccine", 0, 99), ("lisa", 0, 99), ("vaccine + lisa", 0, 99)]);

        Assert.Equal("not told apart from none", AnalysisTables.Reading(report.Interactions[0], report.Analysis.Contributions));
        Assert.All(report.Analysis.Effects, e => Assert.False(e.Success.IsFall || e.Success.IsRise));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A filter that drops two of the three rows that another defense added, and one of the task's.</summary>
    private static Dictionary<string, string> Filter(ObjectStore store, string source, List<Stage> stages)
    {
        var (rows, filter) = (Stage.Hash($"rows {stages.Count}"), Stage.Hash($"filter {stages.Count}"));
        Example[] all = [.. Enumerable.Range(0, 6).Select(i => Example.Of($"{i}", "skill", "q", "a") with { Origin = i < 3 ? source : "task" })];
        store.Write(rows, folder => File.WriteAllLines(Path.Combine(folder, "rows.jsonl"), all.Select(r => JsonSerializer.Serialize(r, JsonSerializerOptions.Web))));
        store.Write(filter, folder => File.WriteAllLines(Path.Combine(folder, "changes.jsonl"), ((string[])["0", "1", "5"]).Select(id => JsonSerializer.Serialize(new RowChange(id, RowFate.Dropped, "odd"), JsonSerializerOptions.Web))));
        stages.Add(new(rows, "rows", "", [], new Dictionary<string, string>(StringComparer.Ordinal)));
        stages.Add(new(filter, "data-map", "", new() { ["technique"] = "spectral-signatures", ["attack"] = false }, new Dictionary<string, string>(StringComparer.Ordinal) { ["rows"] = rows }));
        return new(StringComparer.Ordinal) { ["task"] = filter };
    }

    /// <param name="hits">Of each defense, the requests from the first to before the last of 100 that succeed.</param>
    private StudyReport Analyze((string Defense, int From, int To)[] hits, string attack = "prefill", string alarms = "", string? filtered = null)
    {
        Study study = new()
        {
            Name = "known", Models = [new("m", _folder, null)], Attacks = [new(attack, [new("", new(attack, "{}"))])],
            Defenses = [.. hits.Select(h => new StudyDefense(h.Defense, [.. h.Defense.Split(" + ").Select(id => new TechniqueUse(id, "{}"))]))],
        };
        var store = new ObjectStore(_folder);
        List<Cell> cells = [];
        List<Stage> stages = [];
        List<CellResult> results = [];
        foreach (var (defense, from, to) in hits)
        {
            foreach (var seed in (int[])[1, 2])
            {
                var key = Stage.Hash($"{defense} {seed}");
                store.Write(key, folder => File.WriteAllLines(Path.Combine(folder, CellMetrics.ScoresFile), Enumerable.Range(0, 100).Select(i => JsonSerializer.Serialize(
                    new ScoredSample(new(Suites.Harm, $"{i}", "", "", "", ""), new(Suites.Harm, $"{i}", new Dictionary<string, bool>(StringComparer.Ordinal), true, i >= from && i < to)), JsonSerializerOptions.Web))));
                stages.Add(new(key, "judge", "", [], filtered is not null && defense.Contains(" + ", StringComparison.Ordinal) ? Filter(store, filtered, stages) : new Dictionary<string, string>(StringComparer.Ordinal)));
                cells.Add(new($"{defense}/{seed}", "m", attack, Phase.PostTuning, "", defense, null, seed, key));
                results.Add(SampleReport.Cell(attack, Phase.PostTuning, defense, null, (to - from) / 100.0, 0.9, seed) with
                {
                    Id = $"{defense}/{seed}", Model = "m", Events = alarms == defense ? [new(1, "drift")] : [],
                });
            }
        }

        return ReportBuilder.Analyze(SampleReport.Of([.. results]) with { Defenses = ReportBuilder.Resolved(study) }, study, new("id", cells, stages, 0), store);
    }
}
