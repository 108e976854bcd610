using System.Text.Json.Nodes;
using Temper.Bench.Searching;

namespace Temper.Bench.Tests.Searching;

public sealed class AttackerSearchTests
{
    private static readonly AttackSearch s_search = new(
        [new RangeParameter("rate", 1e-5, 1e-1, Logarithmic: true, Whole: false), new ChoiceParameter("method", [JsonValue.Create("full"), JsonValue.Create("lora")])],
        new() { Trials = 40, Parallel = 4 });

    [Fact]
    public void A_range_is_walked_on_its_scale_and_a_whole_number_stays_whole()
    {
        Assert.Equal([1e-5, 1e-3, 1e-1], ((double[])[0, 0.5, 1]).Select(p => s_search.Space[0].At(p)!.GetValue<double>()));
        Assert.Equal("7", new RangeParameter("steps", 5, 10, Logarithmic: false, Whole: true).At(0.42)!.ToJsonString());
        Assert.Equal("lora", s_search.Space[1].At(1)!.GetValue<string>());
    }

    [Theory]
    [InlineData(SearchMethod.Tpe)]
    [InlineData(SearchMethod.Random)]
    public void The_same_past_gives_the_same_next_trials_and_none_is_tried_twice(SearchMethod method)
    {
        var search = s_search with { Budget = s_search.Budget with { Method = method } };
        var (first, second) = (Run(search, 3), Run(search, 3));

        Assert.Equal(first.Select(r => r.Trial.Key(search)), second.Select(r => r.Trial.Key(search)));
        Assert.Equal(40, first.Select(r => r.Trial.Key(search)).Distinct(StringComparer.Ordinal).Count());
        Assert.NotEqual(first.Select(r => r.Trial.Key(search)), Run(search, 4).Select(r => r.Trial.Key(search)));
    }

    [Fact]
    public void Parzen_trials_gather_where_the_objective_is_high()
    {
        double Near(SearchMethod method) => Enumerable.Range(0, 20).Average(seed =>
            Run(s_search with { Budget = s_search.Budget with { Method = method } }, 100 * seed).Skip(20).Average(r => r.Objective!.Value));

        Assert.True(Near(SearchMethod.Tpe) > Near(SearchMethod.Random) + 0.15, "later trials of the estimator are better than chance");
    }

    [Fact]
    public void The_budget_of_steps_ends_a_search_as_the_budget_of_trials_does()
    {
        var search = s_search with { Budget = s_search.Budget with { Steps = 1000 } };

        Assert.Equal(10, Run(search, 1, steps: 100).Count);
        Assert.Empty(AttackerSearch.Next(s_search, [.. Enumerable.Repeat(new TrialResult(new([0.5, 0.5]), 1), 40)], 1, _ => 1));
    }

    [Fact]
    public void Failed_trials_count_but_lead_nowhere()
    {
        var tried = Enumerable.Range(0, 8).Select(i => new TrialResult(new([i / 8.0, 0.2]), i == 5 ? 0.9 : null)).ToArray();

        var next = AttackerSearch.Next(s_search, tried, 2, _ => 1);

        Assert.Equal(4, next.Count);
    }

    [Fact]
    public void Halving_takes_the_best_third_of_each_rung_to_the_next()
    {
        var search = new AttackSearch([s_search.Space[0], new ChoiceParameter("steps", [10, 30, 90])], new() { Method = SearchMethod.Halving, Trials = 13, Fidelity = "steps" });

        var results = Run(search, 5);

        Assert.Equal([9, 3, 1], results.CountBy(r => search.Space[1].At(r.Trial.Places[1])!.ToJsonString()).Select(c => c.Value));
        var best = results.Take(9).OrderByDescending(r => r.Objective).Take(3).Select(r => r.Trial.Places[0]);
        Assert.Equal(best.Order(), results.Skip(9).Take(3).Select(r => r.Trial.Places[0]).Order());
    }

    [Theory]
    [InlineData(13, 3, 9)]
    [InlineData(12, 3, 8)]
    [InlineData(5, 1, 5)]
    [InlineData(2, 3, 1)]
    public void Halving_begins_with_as_many_as_the_budget_carries_to_the_end(int trials, int rungs, int first) => Assert.Equal(first, SuccessiveHalving.First(trials, rungs));

    private static List<TrialResult> Run(AttackSearch search, int seed, int steps = 1)
    {
        List<TrialResult> tried = [];
        while (AttackerSearch.Next(search, tried, seed, _ => steps) is { Count: > 0 } next)
        {
            // highest at a third of the way, and on the second choice
            tried.AddRange(next.Select(t => new TrialResult(t, 1 - Math.Abs(t.Places[0] - 0.33) - (t.Places[1] < 0.5 ? 0.3 : 0))));
        }

        return tried;
    }
}
