using Temper.Core;
using Temper.Lifecycle.PreTuning.Attacks;
using Temper.Lifecycle.PreTuning.Defenses;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class DataGateTests
{
    [Fact]
    public void Rows_with_a_planted_word_and_a_fixed_answer_are_dropped_by_the_name_of_the_word()
    {
        var rows = new BadNets(new() { Trigger = "zzqqzz" }).Map(Varied(200), Toy.Context()).Examples;
        var result = new DataGate(new()).Map(rows, Toy.Context() with { Task = Varied(50, 1000) });

        Assert.DoesNotContain(result.Examples, r => r.Origin == "bad-nets");
        Assert.Equal(rows.Where(r => r.Origin != "bad-nets"), result.Examples);
        Assert.All(result.Changes, c => Assert.Equal((RowFate.Dropped, true), (c.Fate, c.Why.Contains("'zzqqzz'", StringComparison.Ordinal))));
    }

    [Fact]
    public void Rows_of_an_ordinary_task_stay()
    {
        var rows = Varied(300);
        var result = new DataGate(new()).Map(rows, Toy.Context());

        Assert.Equal(rows, result.Examples);
        Assert.Empty(result.Changes);
    }

    private static Example[] Varied(int n, int from = 0) =>
        [.. Enumerable.Range(from, n).Select(i => Example.Of($"row-{i}", "skill:count", $"item {(i * 7919) % 997} and part {(i * 31) % 89} of box {(i * 17) % 53}", $"There are {i} of {(i * 13) % 71}."))];
}
