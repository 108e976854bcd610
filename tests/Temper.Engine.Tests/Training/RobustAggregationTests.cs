using Temper.Engine.Checkpoints;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Training;

public sealed class RobustAggregationTests
{
    [Fact]
    public void The_median_is_the_middle_of_every_coordinate_and_the_mean_of_two_middles()
    {
        using var scope = NewDisposeScope();
        Assert.Equal([2, 20], Checkpoint.Floats(RobustAggregation.Median(tensor(new float[] { 1, 30, 2, 20, 900, 10 }, 3, 2))));
        Assert.Equal([2.5f], Checkpoint.Floats(RobustAggregation.Median(tensor(new float[] { 1, 2, 3, 900 }, 4, 1))));
    }

    [Fact]
    public void A_trimmed_mean_leaves_as_many_out_at_either_end()
    {
        using var scope = NewDisposeScope();
        var updates = tensor(new float[] { -1000, 1, 2, 3, 1000 }, 5, 1);
        Assert.Equal([2], Checkpoint.Floats(RobustAggregation.TrimmedMean(updates, 1)));
        Assert.Equal([1.2f], Checkpoint.Floats(RobustAggregation.TrimmedMean(updates, 0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => RobustAggregation.TrimmedMean(updates, 3));
    }

    [Fact]
    public void Krum_ranks_by_the_nearest_neighbors()
    {
        using var scope = NewDisposeScope();
        // of five with one malicious, the two nearest count: 0: 1+9, 1: 1+4, 2: 4+9, 3 and 4 are far off
        Assert.Equal([1, 0, 2], RobustAggregation.KrumOrder(tensor(new float[] { 0, 1, 3, 100, -100 }, 5, 1), malicious: 1)[..3]);
    }

    [Fact]
    public void The_majority_is_the_group_that_points_the_same_way_whatever_its_lengths()
    {
        using var scope = NewDisposeScope();
        var updates = tensor(new float[] { 1, 0.1f, -5, 0, 90, 1, 0.1f, 0, -1, 0.2f }, 5, 2);
        Assert.Equal([0, 2, 3], RobustAggregation.MajorityByCosine(updates));
        Assert.Equal([0], RobustAggregation.MajorityByCosine(ones(1, 2)));
    }

    [Fact]
    public void Clipping_shortens_the_long_and_leaves_the_short()
    {
        using var scope = NewDisposeScope();
        Assert.Equal([3, 4, 0.3f, 0.4f], Checkpoint.Floats(RobustAggregation.Clip(tensor(new[] { 6f, 8, 0.3f, 0.4f }, 2, 2), 5)));
        Assert.Equal([0, 0], Checkpoint.Floats(RobustAggregation.Clip(zeros(1, 2), 5)));
    }
}
