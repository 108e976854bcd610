using Temper.Lifecycle.PreTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class TripletTests
{
    private static Tensor East => tensor(new[] { 1f, 0, 2, 0 }, 2, 2);

    private static Tensor North => tensor(new[] { 0f, 1, 0, 3 }, 2, 2);

    [Fact]
    public void It_is_zero_where_benign_states_stay_far_from_harmful_ones_that_moved_together()
    {
        using var scope = NewDisposeScope();
        // benign at distance 0 of what it was and 2 of the harmful mean; harmful at 0 of its mean and 1 of what it was
        Assert.Equal(0, Triplet.Loss(East, East, -East, North, 0.5, 0.5).item<float>(), 1e-5f);
    }

    [Fact]
    public void Where_nothing_moved_and_all_states_are_one_both_margins_are_the_loss()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(0.7f, Triplet.Loss(East, East, East, East, 0.3, 0.4).item<float>(), 1e-5f);
    }

    [Fact]
    public void Each_hinge_is_its_difference_of_distances_and_the_margin()
    {
        using var scope = NewDisposeScope();
        // benign: d = 1 to what it was, 0 to the mean, so 1 + 0.3; harmful: 0 to the mean, 0 to what it was, so 0.4
        Assert.Equal(1.7f, Triplet.Loss(North, East, North, North, 0.3, 0.4).item<float>(), 1e-5f);
    }
}
