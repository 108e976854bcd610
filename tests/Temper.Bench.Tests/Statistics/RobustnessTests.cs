using Temper.Bench.Reports;
using Temper.Bench.Statistics;
using Temper.Bench.Tests.Reports;
using Temper.Core;

namespace Temper.Bench.Tests.Statistics;

public sealed class RobustnessTests
{
    [Fact]
    public void The_ranking_weighs_the_worst_case_as_much_as_the_mean_and_says_what_stays_open()
    {
        // one closes every hole halfway, the other closes one and leaves one open
        var report = Report(Grid(("none", 0.9, 0.9, 0.9), ("half", 0.4, 0.4, 0.9), ("hole", 0.0, 0.9, 0.9), ("broken", 0.0, 0.0, 0.2)));
        var ranking = new Robustness(report, new(report.Cells)).Ranking([Fall("half", "a"), Fall("half", "b"), Fall("hole", "a")]);

        Assert.Equal([(1, "half"), (2, "hole")], ranking.Where(r => r.Rank is not null).Select(r => (r.Rank!.Value, r.Defense)));
        Assert.Equal((0.4, 0.675), (ranking[0].Score!.Value, ranking[1].Score!.Value));
        Assert.Equal("keeps every attack that was tried below one half", ranking[0].Reading);
        Assert.Equal("leaves open: b", ranking[1].Reading);
        Assert.Equal("not ranked: it costs too much utility", ranking.Single(r => r.Defense == "broken").Reading);
        Assert.Equal((2, 0, 2), (ranking[0].Helps, ranking[0].Hurts, ranking[0].Compared));
    }

    [Fact]
    public void The_worst_configuration_counts_only_where_the_attacker_leaves_the_model_useful()
    {
        CellResult Of(string defense, string configuration, int trial, double success, double utility) =>
            SampleReport.Cell("tune", Phase.DuringTuning, defense, null, success, utility) with { Id = $"{defense}{configuration}", Configuration = configuration, Trial = trial, Steps = 10 };
        var report = Report([
            SampleReport.Cell("none", Phase.PreTuning, "none", null, 0, 0.9), SampleReport.Cell("none", Phase.PreTuning, "d", null, 0, 0.9),
            Of("none", "x", 1, 0.9, 0.9), Of("none", "y", 2, 0.8, 0.9), Of("d", "x", 1, 0.2, 0.9), Of("d", "y", 2, 1.0, 0.1),
        ]);
        var row = new Robustness(report, new(report.Cells)).Ranking([]).Single(r => r.Defense == "d");

        Assert.Equal((0.2, 0.2), (row.Worst!.Value, row.Q90!.Value));
        Assert.Equal("tune on llama-s", row.WorstPlace);
        Assert.Equal(0.2, row.Area!.Value, 12);
    }

    [Theory]
    [InlineData(new[] { 1.0, 0, 0, 0 }, 1.0)]
    [InlineData(new[] { 0, 0, 0, 1.0 }, 0.25)]
    [InlineData(new[] { 0.2, 0.6, 0.4 }, 1.4 / 3)]
    [InlineData(new double[0], 0.0)]
    public void The_area_is_the_mean_of_the_best_so_far(double[] success, double expected) => Assert.Equal(expected, SearchOutcome.AreaUnder(success), 12);

    [Fact]
    public void A_defense_that_was_chosen_elsewhere_is_measured_where_it_was_not_chosen()
    {
        // overall b is a little better, but it fails where a holds
        var report = Report(Grid(("none", 1, 1, 0.9), ("a", 0.3, 0.3, 0.9), ("b", 0.0, 0.5, 0.9)));
        var found = new Robustness(report, new(report.Cells)).HeldOut();

        Assert.Equal([("configuration", "a", "a", 0.3, 0.0), ("configuration", "b", "b", 0.5, 0.3)], found.Select(h => (h.By, h.LeftOut, h.Chosen, h.Success, h.Best)));
        Assert.All(found, h => Assert.Equal(1, h.Undefended));
    }

    [Fact]
    public void A_model_is_left_out_where_there_are_several()
    {
        var one = Grid(("none", 1, 1, 0.9), ("a", 0.1, 0.1, 0.9), ("b", 0.2, 0.2, 0.9));
        var two = Grid(("none", 1, 1, 0.9), ("a", 0.9, 0.9, 0.9), ("b", 0.2, 0.2, 0.9)).Select(c => c with { Model = "second", Id = $"second{c.Id}" });
        var report = Report([.. one, .. two]);
        var found = new Robustness(report, new(report.Cells)).HeldOut().Where(h => h.By == "model").ToArray();

        Assert.Equal(["llama-s: b", "second: a"], found.Select(h => $"{h.LeftOut}: {h.Chosen}"));
        Assert.Equal((0.9, 0.2), (found[1].Success, found[1].Best));
    }

    [Fact]
    public void Brittle_is_a_defense_of_which_few_settings_are_near_the_best()
    {
        var report = Report(Grid(("none", 1, 1, 0.9), ("v[r 1]", 0, 0, 0.9), ("v[r 2]", 0.1, 0.1, 0.9), ("v[r 3]", 0.9, 0.9, 0.9), ("v[r 4]", 0, 0, 0.1))) with
        {
            Defenses = [.. ((string[])["v[r 1]", "v[r 2]", "v[r 3]", "v[r 4]"]).Select(n => new ReportDefense(n, "v", []))],
        };
        var found = Assert.Single(new Robustness(report, new(report.Cells)).Brittleness());

        Assert.Equal(("v", 4, 2, "v[r 1]", "v[r 4]"), (found.Defense, found.Choices, found.NearBest, found.Best, found.Worst));
        Assert.Equal((1, 0), (found.BestProtection, found.WorstProtection)); // the last is safe because it is broken
    }

    [Fact]
    public void Carrying_over_is_helping_against_another_phase_without_breaking_the_model()
    {
        var report = Report(Grid(("none", 1, 1, 0.9), ("a", 0.3, 0.3, 0.9), ("b", 0.0, 0.5, 0.9), ("broken", 0, 0, 0.1)));
        var found = new Robustness(report, new(report.Cells)).CarryOvers([Fall("a", "a"), Fall("b", "b", Phase.PostTuning), Fall("broken", "b", Phase.PostTuning)]);

        Assert.Equal([(1, 1, 0, 0), (0, 0, 1, 1), (0, 0, 1, 1)], found.Select(c => (c.OwnHelped, c.OwnAttacks, c.OtherHelped, c.OtherAttacks)));
        Assert.StartsWith("1 of 2 single-phase defenses (50.0 %", AnalysisTables.CarrySentence(found), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_table_reaches_the_page_the_markdown_and_the_data()
    {
        var report = Report(Grid(("none", 1, 1, 0.9), ("a", 0.3, 0.3, 0.9), ("b", 0.0, 0.5, 0.9)));
        var robustness = new Robustness(report, new(report.Cells));
        Effect[] effects = [Fall("a", "a")];
        report = report with { Analysis = new() { Effects = effects, Ranking = robustness.Ranking(effects), HeldOut = robustness.HeldOut() } };

        Assert.All((string[])["Which defense to take", "Chosen elsewhere, measured here", "Each defense against each attack"], title =>
        {
            Assert.Contains(title, HtmlReport.Write(report), StringComparison.Ordinal);
            Assert.Contains($"## {title}", MarkdownReport.Write(report), StringComparison.Ordinal);
        });
        Assert.Equal(JsonReport.Write(report), JsonReport.Write(JsonReport.Read(JsonReport.Write(report))));
        Assert.Contains("\neffect,a,a,none,-0.5,", CsvReport.WriteAnalysis(report), StringComparison.Ordinal);
    }

    private static Effect Fall(string defense, string attack, Phase phase = Phase.PreTuning) => new(attack, phase, defense, new(-0.5, -0.6, -0.4, 0.001, 1, 100) { AdjustedP = 0.001 });

    private static CellResult[] Grid(params (string Defense, double A, double B, double Utility)[] defenses) =>
    [
        .. defenses.SelectMany(d => (CellResult[])
        [
            SampleReport.Cell("a", Phase.PreTuning, d.Defense, Phase.PreTuning, d.A, d.Utility), SampleReport.Cell("b", Phase.PostTuning, d.Defense, Phase.PreTuning, d.B, d.Utility),
        ]),
    ];

    private static StudyReport Report(CellResult[] cells) => SampleReport.Of(cells);
}
