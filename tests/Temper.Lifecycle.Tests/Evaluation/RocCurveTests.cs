using Temper.Core;
using Temper.Lifecycle.Evaluation;

namespace Temper.Lifecycle.Tests.Evaluation;

public sealed class RocCurveTests
{
    [Fact]
    public void Separable_scores_have_area_one_and_reversed_ones_none()
    {
        Assert.Equal(1, new RocCurve([3, 4, 5], [0, 1, 2]).Auc);
        Assert.Equal(0, new RocCurve([0, 1, 2], [3, 4, 5]).Auc);
        Assert.Equal(0.5, new RocCurve([1, 1], [1, 1, 1]).Auc);
        Assert.Equal(0.75, new RocCurve([2, 4], [1, 3]).Auc); // of four pairs three are in order
    }

    [Fact]
    public void Of_exchangeable_sets_it_is_one_half_and_its_interval_says_so_nineteen_times_in_twenty()
    {
        var random = new Random(1);
        double[] Draw(int n) => [.. Enumerable.Range(0, n).Select(_ => random.NextDouble())];
        var metrics = Enumerable.Range(0, 200).Select(_ => new RocCurve(Draw(60), Draw(80)).AucMetric("auc")).ToArray();

        Assert.InRange(metrics.Average(m => m.Value!.Value), 0.49, 0.51);
        Assert.InRange(metrics.Count(m => m.Low <= 0.5 && m.High >= 0.5), 180, 199);
        Assert.All(metrics, m => Assert.Equal(140, m.N));
    }

    [Fact]
    public void Found_are_those_above_what_the_allowed_share_of_the_others_reaches()
    {
        var curve = new RocCurve([5, 50, 99.5, 100.5, 101], Enumerable.Range(1, 100).Select(i => (double)i));

        Assert.Equal(2, curve.Found(0));
        Assert.Equal(3, curve.Found(0.01)); // one of a hundred may pass: above 99
        Assert.Equal(5, curve.Found(1));
    }

    [Fact]
    public void Without_scores_of_both_it_is_an_error() =>
        Assert.Contains("expected some of both", Assert.Throws<TemperException>(() => new RocCurve([1], [])).Message, StringComparison.Ordinal);
}
