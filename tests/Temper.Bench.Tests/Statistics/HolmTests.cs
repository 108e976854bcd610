using Temper.Bench.Statistics;

namespace Temper.Bench.Tests.Statistics;

public sealed class HolmTests
{
    [Fact]
    public void The_least_is_multiplied_by_all_the_next_by_one_less_and_none_falls_below_the_one_before() =>
        Assert.Equal([0.03, 0.06, 0.06, 0.02], Holm.Adjust([0.01, 0.04, 0.03, 0.005]).Select(p => Math.Round(p, 12)));

    [Fact]
    public void None_is_above_one_and_one_alone_is_what_it_was()
    {
        Assert.Equal([1, 1], Holm.Adjust([0.6, 0.9]));
        Assert.Equal([0.04], Holm.Adjust([0.04]));
        Assert.Empty(Holm.Adjust([]));
    }
}
