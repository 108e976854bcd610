using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Training;

public sealed class MaximumMeanDiscrepancyTests
{
    [Fact]
    public void Equal_samples_are_at_no_distance_and_it_is_the_same_both_ways()
    {
        using var scope = NewDisposeScope();
        var (x, y) = (randn(12, 5, generator: new Generator(1)), randn(7, 5, generator: new Generator(2)) + 1);

        Assert.InRange(MaximumMeanDiscrepancy.Of(x, x).item<float>(), -1e-6f, 1e-6f);
        Assert.Equal(MaximumMeanDiscrepancy.Of(x, y).item<float>(), MaximumMeanDiscrepancy.Of(y, x).item<float>(), 1e-6f);
    }

    [Fact]
    public void It_is_small_for_one_distribution_and_grows_with_the_distance_of_two()
    {
        using var scope = NewDisposeScope();
        Tensor Sample(ulong seed) => randn(200, 4, generator: new Generator(seed));
        var values = new[] { 0, 0.5, 1, 2 }.Select(shift => MaximumMeanDiscrepancy.Of(Sample(1), Sample(2) + shift).item<float>()).ToArray();

        Assert.InRange(values[0], 0, 0.05f);
        Assert.Equal(values.Order(), values);
        Assert.True(values[1] > 3 * values[0], $"{values[1]} should be far above {values[0]}");
    }

    [Fact]
    public void It_is_the_sum_of_five_kernels_over_all_pairs()
    {
        using var scope = NewDisposeScope();
        float[] x = [0, 1], y = [3];
        float[] all = [.. x, .. y];
        // the mean over ordered pairs of different points: 2 · (1 + 9 + 4) / 6
        var bandwidth = 14.0 / 3;
        double Kernel(double a, double b) => new[] { 0.25, 0.5, 1, 2, 4 }.Sum(m => Math.Exp(-((a - b) * (a - b)) / (bandwidth * m)));
        var expected = x.SelectMany(a => x.Select(b => Kernel(a, b))).Average() - (2 * x.Average(a => Kernel(a, y[0]))) + Kernel(3, 3);

        Assert.Equal(3, all.Length);
        Assert.Equal(expected, MaximumMeanDiscrepancy.Of(tensor(x, 2, 1), tensor(y, 1, 1)).item<float>(), 1e-5);
    }
}
