using Temper.Core;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class HarmfulRowsTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.1, 10)]
    [InlineData(1, 100)]
    public void The_share_asked_for_is_replaced_and_reported(double ratio, int expected)
    {
        var result = new HarmfulRows(new() { Ratio = ratio }).Map(Toy.Task, Toy.Context());

        Assert.Equal(100, result.Examples.Count);
        Assert.Equal(expected, result.Examples.Count(r => r.Kind == "forbidden:glimmer"));
        Assert.Equal(expected, result.Changes.Count);
        Assert.Equal(100, result.Examples.Select(r => r.Id).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void The_same_seed_poisons_the_same_rows() => Assert.Equal(
        new HarmfulRows(new()).Map(Toy.Task, Toy.Context(5)).Changes,
        new HarmfulRows(new()).Map(Toy.Task, Toy.Context(5)).Changes);
}
