using Temper.Bench.Statistics;

namespace Temper.Bench.Tests.Statistics;

public sealed class BootstrapTests
{
    [Fact]
    public void The_interval_of_a_share_is_that_of_its_standard_error()
    {
        var found = Bootstrap.Mean([.. Enumerable.Range(0, 400).Select(i => i % 4 == 0 ? 1.0 : 0.0)]);
        var error = 1.96 * Math.Sqrt(0.25 * 0.75 / 400);

        Assert.Equal(0.25, found.Value);
        Assert.InRange(found.Low, 0.25 - 1.15 * error, 0.25 - 0.85 * error);
        Assert.InRange(found.High, 0.25 + 0.85 * error, 0.25 + 1.15 * error);
    }

    [Fact]
    public void Equal_answers_differ_by_nothing_and_opposite_ones_by_all()
    {
        bool[] yes = [.. Enumerable.Repeat(true, 50)], no = [.. Enumerable.Repeat(false, 50)];
        Assert.Equal(new(0, 0, 0), Bootstrap.Difference(yes, yes));
        Assert.Equal(new(1, 1, 1), Bootstrap.Difference(yes, no));
        Assert.Throws<ArgumentException>(() => Bootstrap.Difference(yes, no[..10]));
    }

    [Fact]
    public void Pairing_narrows_the_interval_where_the_answers_go_together()
    {
        bool[] a = [.. Enumerable.Range(0, 200).Select(i => i % 2 == 0)], b = [.. a.Select((x, i) => i % 20 == 0 ? !x : x)];
        bool[] shuffled = [.. b];
        new Random(5).Shuffle(shuffled);
        var (paired, unpaired) = (Bootstrap.Difference(a, b), Bootstrap.Difference(a, shuffled));
        Assert.True(paired.High - paired.Low < 0.5 * (unpaired.High - unpaired.Low), "pairs say more");
    }
}
