using Temper.Bench.Execution;
using Temper.Bench.Reports;
using Temper.Bench.Store;

namespace Temper.Bench.Tests.Execution;

public sealed class StudySessionTests : IDisposable
{
    private readonly ToyStudy _toy = new();

    [Fact]
    public void A_study_runs_from_the_base_to_the_scores_and_the_same_study_gives_the_same_report()
    {
        var report = Run(_toy.Store, workers: 2);

        Assert.Equal(12, report.Cells.Count);
        Assert.All(report.Cells, c => Assert.Equal((CellStatus.Done, null), (c.Status, c.Reason)));
        Assert.All(report.Cells, c => Assert.Equal(6, c.Metrics.First(m => m.Name == MetricNames.Utility).N));
        Assert.All(report.Cells, c => Assert.Equal(2, c.Curve.Count));

        var again = Run(Path.Combine(_toy.Folder, "other-store"), workers: 1);
        Assert.Equal(JsonReport.Write(report.WithoutTiming()), JsonReport.Write(again.WithoutTiming()));
    }

    [Fact]
    public void An_agents_cell_has_utility_under_attack_and_silent_success_beside_its_success()
    {
        using var session = new StudySession(_toy.Study(ToyStudy.AgentYaml), _toy.Store);
        session.RunHere(2, _ => { }, TestContext.Current.CancellationToken);
        var report = session.Report();

        Assert.All(report.Cells, c => Assert.Equal((CellStatus.Done, null), (c.Status, c.Reason)));
        Assert.All(report.Cells, c => Assert.Equal(6, c.Metrics.First(m => m.Name == MetricNames.Utility).N));
        foreach (var name in (string[])[MetricNames.Asr, MetricNames.FalseTrigger, MetricNames.UtilityUnderAttack, MetricNames.SilentSuccess])
        {
            Assert.All(report.Cells.Where(c => c.Attack != "none"), c => Assert.Equal(6, c.Metrics.Single(m => m.Name == name).N));
        }
    }

    [Fact]
    public void What_was_computed_is_not_computed_again()
    {
        Run(_toy.Store, workers: 2);
        using var session = new StudySession(_toy.Study(), _toy.Store);

        Assert.All(session.Stages, s => Assert.Equal((StageState.Done, 1), (s.State, s.Computed)));
        session.RunHere(2, _ => { }, TestContext.Current.CancellationToken);
        Assert.All(session.Stages, s => Assert.Equal(1, s.Computed));
    }

    [Fact]
    public void A_study_that_was_canceled_goes_on_where_it_stopped()
    {
        using (var stop = new CancellationTokenSource())
        using (var session = new StudySession(_toy.Study(), _toy.Store))
        {
            Assert.ThrowsAny<OperationCanceledException>(() => session.RunHere(2, p =>
            {
                if (p.Done > 10)
                {
                    stop.Cancel();
                }
            }, stop.Token));
            Assert.DoesNotContain(session.Stages, s => s.State is StageState.Running or StageState.Failed);
        }

        var report = Run(_toy.Store, workers: 2);
        Assert.All(report.Cells, c => Assert.Equal(CellStatus.Done, c.Status));
        using var after = new StudySession(_toy.Study(), _toy.Store);
        Assert.All(after.Stages, s => Assert.Equal(1, s.Computed));
    }

    [Fact]
    public void Where_a_filter_leaves_no_row_nothing_is_tuned_and_the_cell_is_measured()
    {
        var yaml = ToyStudy.Yaml.Replace("[none, safe-instr]", "[none, {id: onion, settings: {bar: -1000, adaptationSteps: 0}}]", StringComparison.Ordinal);
        using var session = new StudySession(_toy.Study(yaml), _toy.Store);
        session.RunHere(2, _ => { }, TestContext.Current.CancellationToken);
        var report = session.Report();

        Assert.All(report.Cells, c => Assert.Equal((CellStatus.Done, null), (c.Status, c.Reason)));
        foreach (var seed in report.Cells.Select(c => c.Seed).Distinct())
        {
            var harm = report.Cells.Where(c => c.Defense == "onion" && c.Seed == seed && c.Attack is "none" or "harmful-rows").Select(c => c.Metrics.First(m => m.Name == MetricNames.Harm).Value);
            Assert.Single(harm.Distinct());
        }
    }

    [Fact]
    public void A_cell_that_fails_says_why_and_the_others_go_on()
    {
        // a random model has no refusal to ablate
        var yaml = ToyStudy.Yaml.Replace("  - prefill", "  - {id: refusal-ablation, settings: {prompts: 2, validation: 2}}", StringComparison.Ordinal);
        using var session = new StudySession(_toy.Study(yaml), _toy.Store);
        session.RunHere(2, _ => { }, TestContext.Current.CancellationToken);
        var report = session.Report();

        Assert.All(report.Cells, c => Assert.Equal(c.Attack == "refusal-ablation" ? CellStatus.Failed : CellStatus.Done, c.Status));
        Assert.All(report.Cells.Where(c => c.Status == CellStatus.Failed), c => Assert.Contains("refusal-ablation: found a refusal score", c.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public void A_lying_checkpoint_is_an_error_before_any_training()
    {
        var weights = Path.Combine(_toy.AlignedFolder, "model.safetensors");
        File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..^100]);
        using var session = new StudySession(_toy.Study(), _toy.Store);
        session.RunHere(1, _ => { }, TestContext.Current.CancellationToken);

        Assert.All(session.Report().Cells, c => Assert.Contains("model.safetensors", c.Reason, StringComparison.Ordinal));
        Assert.DoesNotContain(session.Stages, s => s.Kind == "tune" && s.State == StageState.Done);
    }

    [Fact]
    public void An_attacker_who_searches_looks_at_what_came_before_and_a_search_that_was_cut_off_goes_on_as_it_would_have()
    {
        var yaml = ToyStudy.Yaml.Replace("  - prefill", "  - {id: harmful-tuning, space: {learningRate: {low: 1e-4, high: 1e-1, log: true}, steps: [1, 2]}, budget: {trials: 6, parallel: 2}}", StringComparison.Ordinal)
            .Replace("seeds: [1, 2]", "seeds: [1]", StringComparison.Ordinal);
        StudyReport Search(string store, int cutOff)
        {
            using (var stop = new CancellationTokenSource())
            using (var session = new StudySession(_toy.Study(yaml), store))
            {
                Assert.Equal(4 + 4, session.Plan.Cells.Count); // the first trials against each of two defenses, and two other attacks
                if (cutOff > 0)
                {
                    Assert.ThrowsAny<OperationCanceledException>(() => session.RunHere(1, p => { if (p.Done > cutOff) { stop.Cancel(); } }, stop.Token));
                }
            }

            using var second = new StudySession(_toy.Study(yaml), store);
            second.RunHere(1, _ => { }, TestContext.Current.CancellationToken);
            return second.Report();
        }

        var whole = Search(_toy.Store, 0);
        var cut = Search(Path.Combine(_toy.Folder, "other-store"), 30);

        Assert.Equal(4 + 12, whole.Cells.Count);
        Assert.All(whole.Cells.Where(c => c.Attack == "harmful-tuning").GroupBy(c => c.Defense), g => Assert.Equal([1, 2, 3, 4, 5, 6], g.Select(c => c.Trial)));
        Assert.Equal(whole.Cells.Where(c => c.Defense == "none" && c.Trial <= 2).Select(c => c.Configuration), whole.Cells.Where(c => c.Defense == "safe-instr" && c.Trial <= 2).Select(c => c.Configuration));
        Assert.Equal(JsonReport.Write(whole.WithoutTiming()), JsonReport.Write(cut.WithoutTiming()));
        Assert.Contains("The attacker's search", MarkdownReport.Write(whole), StringComparison.Ordinal);
        Assert.Contains("id=\"searches\"", HtmlReport.Write(whole), StringComparison.Ordinal);
    }

    public void Dispose() => _toy.Dispose();

    private StudyReport Run(string store, int workers)
    {
        using var session = new StudySession(_toy.Study(), store);
        session.RunHere(workers, _ => { }, TestContext.Current.CancellationToken);
        return session.Report();
    }
}
