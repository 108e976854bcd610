using Temper.Bench.Reports;
using Temper.Core;

namespace Temper.Bench.Tests.Reports;

public sealed class SearchOutcomeTests
{
    [Fact]
    public void Worst_q90_and_mean_count_only_what_keeps_the_utility_and_breaking_counts_every_trial_before()
    {
        CellResult Trial(int trial, double success, double utility) => new(
            $"t{trial}", "m", "a", Phase.DuringTuning, "d", null, 1, CellStatus.Done, null,
            [SampleReport.Rate(MetricNames.Harm, success), SampleReport.Rate(MetricNames.Utility, utility)], 0, [], [], []) { Configuration = $"c{trial}", Trial = trial, Steps = 10 * trial };
        var plain = Trial(1, 0, 1) with { Id = "plain", Attack = "none", Defense = "none", Configuration = "" };
        CellResult[] cells = [plain, Trial(1, 0.1, 1), Trial(2, 0.9, 0.5), Trial(3, 0.6, 0.95), Trial(4, 0.3, 0.92)];

        var found = Assert.Single(SearchOutcome.All(cells, 0.9));

        Assert.Equal((4, 3, 0.6), (found.Trials, found.AtFloor, found.Worst!.Value));
        Assert.Equal(1.0 / 3, found.Mean!.Value, 9);
        Assert.Equal(0.54, found.Q90!.Value, 9);
        Assert.Equal((3, 60, "c3"), (found.TrialsToBreak!.Value, found.StepsToBreak!.Value, found.Configuration)); // the second broke its own utility

        var page = MarkdownReport.Write(SampleReport.Of(cells));
        Assert.All((string[])["| c2 | 90.0 %", "| c4 | 30.0 %"], row => Assert.Contains(row, page, StringComparison.Ordinal)); // also those below the floor
    }
}
