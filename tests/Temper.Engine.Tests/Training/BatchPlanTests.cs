using Temper.Engine.Training;

namespace Temper.Engine.Tests.Training;

public sealed class BatchPlanTests
{
    private static readonly int[] s_lengths = [.. Enumerable.Range(0, 400).Select(i => 5 + i * 37 % 60)];

    [Fact]
    public void Every_row_comes_once_an_epoch_and_in_another_order_the_next()
    {
        var plan = new BatchPlan(s_lengths, 16, 3);
        int[] Epoch(int epoch) => [.. Enumerable.Range(epoch * plan.StepsPerEpoch, plan.StepsPerEpoch).SelectMany(plan.Rows)];

        Assert.Equal(Enumerable.Range(0, 400), Epoch(0).Order());
        Assert.Equal(Enumerable.Range(0, 400), Epoch(1).Order());
        Assert.NotEqual(Epoch(0), Epoch(1));
    }

    [Fact]
    public void Rows_of_like_length_stand_together_so_that_little_is_padded()
    {
        double Padded(IEnumerable<int[]> steps) => steps.Select(s => (double)s.Length * s.Max(r => s_lengths[r])).Sum() / s_lengths.Sum();
        var plan = new BatchPlan(s_lengths, 16, 3);
        var bucketed = Padded(Enumerable.Range(0, plan.StepsPerEpoch).Select(s => plan.Rows(s).ToArray()));
        var shuffled = Enumerable.Range(0, 400).ToArray();
        new Random(3).Shuffle(shuffled);

        Assert.InRange(bucketed, 1, 1.2);
        Assert.True(Padded(shuffled.Chunk(16)) > 1.5, "without it there is something to save");
    }

    [Fact]
    public void The_rows_of_a_step_follow_from_the_seed_and_the_step_alone()
    {
        var (forward, backward) = (new BatchPlan(s_lengths, 16, 3), new BatchPlan(s_lengths, 16, 3));
        int[] steps = [0, 30, 7, 90];
        var expected = steps.Order().ToDictionary(s => s, forward.Rows);
        Assert.All(steps, s => Assert.Equal(expected[s], backward.Rows(s)));
        Assert.NotEqual(expected[7], new BatchPlan(s_lengths, 16, 4).Rows(7));
    }
}
