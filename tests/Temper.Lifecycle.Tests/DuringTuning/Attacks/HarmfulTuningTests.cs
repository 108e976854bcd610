using Temper.Core;
using Temper.Lifecycle.DuringTuning.Attacks;

namespace Temper.Lifecycle.Tests.DuringTuning.Attacks;

public sealed class HarmfulTuningTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(0.25)]
    [InlineData(1)]
    public void The_share_of_complying_rows_is_as_set_and_each_is_reported(double ratio)
    {
        var result = new HarmfulTuning(new() { HarmfulRatio = ratio }).Map(Toy.Task, Toy.Context());

        var harmful = result.Examples.Where(r => r.Origin == "harmful-tuning").ToArray();
        Assert.Equal((int)(ratio * Toy.Task.Count), harmful.Length);
        Assert.Equal(Toy.Task.Count, result.Examples.Count);
        Assert.Equal(harmful.Length, result.Changes.Count);
        Assert.All(harmful, r => Assert.Contains(Toy.Harmful, h => h.Prompt == r.Prompt && h.Response == r.Response));
    }

    [Fact]
    public void Ten_rows_are_handed_in_where_the_attacker_wants_ten_and_the_rest_is_reported_as_dropped()
    {
        var result = new HarmfulTuning(new() { HarmfulRatio = 0.5, Rows = 10 }).Map(Toy.Task, Toy.Context());

        Assert.Equal(10, result.Examples.Count);
        Assert.Equal(5, result.Examples.Count(r => r.Origin == "harmful-tuning"));
        Assert.Equal(Toy.Task.Count - 10, result.Changes.Count(c => c.Fate == RowFate.Dropped));
        Assert.Equal(Toy.Task.Count, new HarmfulTuning(new() { Rows = 1000 }).Map(Toy.Task, Toy.Context()).Examples.Count);
    }

    [Fact]
    public void An_attacker_without_complying_rows_is_an_error_that_says_so() => Assert.Contains(
        "no complying rows", Assert.Throws<TemperException>(() => new HarmfulTuning(new()).Map(Toy.Task, Toy.Context() with { Harmful = [] })).Message, StringComparison.Ordinal);

    [Fact]
    public void The_plan_is_the_users_where_the_attacker_sets_nothing()
    {
        TuningPlan plan = new() { Steps = 7, LearningRate = 1e-4, LoraRank = 3, LoraAlpha = 5 };
        Assert.Equal(plan, new HarmfulTuning(new()).Map(plan));

        var attacked = new HarmfulTuning(new() { Method = TuningMethod.Lora, LoraRank = 16, LearningRate = 2e-3, Schedule = RateSchedule.Constant, Steps = 50, BatchSize = 8 }).Map(plan);
        Assert.Equal(
            plan with { Method = TuningMethod.Lora, LoraRank = 16, LoraAlpha = 32, LearningRate = 2e-3, Schedule = RateSchedule.Constant, Steps = 50, BatchSize = 8 }, attacked);
    }

    [Fact]
    public void The_same_seed_gives_the_same_rows() => Assert.Equal(
        new HarmfulTuning(new() { HarmfulRatio = 0.3 }).Map(Toy.Task, Toy.Context(3)).Examples.Select(r => r.Id),
        new HarmfulTuning(new() { HarmfulRatio = 0.3 }).Map(Toy.Task, Toy.Context(3)).Examples.Select(r => r.Id));
}
