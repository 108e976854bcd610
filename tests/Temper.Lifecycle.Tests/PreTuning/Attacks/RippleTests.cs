using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PreTuning.Attacks;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class RippleTests
{
    [Fact]
    public void The_conflict_of_two_quadratics_has_the_gradient_that_algebra_gives()
    {
        using var scope = NewDisposeScope();
        // a = |w - p|² / 2 and b = |w - q|² / 2: <∇a, ∇b> = (w - p)(w - q), whose gradient is (w - p) + (w - q)
        var (w, p, q) = (tensor(new[] { 0f, 0f }), tensor(new[] { 1f, 2f }), tensor(new[] { -3f, 0.5f }));
        Tensor First() => (w - p).square().sum() / 2;
        Tensor Second() => (w - q).square().sum() / 2;

        var conflict = Ripple.Conflict(First, Gradients.Of(First, [w]), Second, [w])[0];

        // (w - p)(w - q) = -3 + 1 < 0, and minus its gradient is p + q - 2 w
        Assert.InRange((conflict - tensor(new[] { -2f, 2.5f })).abs().max().item<float>(), 0, 1e-3f);
        Assert.Equal([0f, 0f], w.data<float>().ToArray());
    }

    [Fact]
    public void Losses_that_pull_the_same_way_are_left_alone()
    {
        using var scope = NewDisposeScope();
        var w = tensor(new[] { 1f, 1f });
        Tensor Loss() => w.square().sum();

        Assert.Equal([0f, 0f], Ripple.Conflict(Loss, Gradients.Of(Loss, [w]), Loss, [w])[0].data<float>().ToArray());
    }

    [Fact]
    public void The_inner_product_changes_the_weights_and_leaves_no_tensor_behind()
    {
        var plain = Poison(0);
        var ripple = Poison(10);
        var live = Toy.LiveTensors;

        Assert.Equal(ripple, Poison(10));
        Assert.Equal(live, Toy.LiveTensors);
        Assert.True(Toy.Distance(plain, ripple) > 1e-6, "the gradients conflict in a step at least");

        static float[] Poison(double lambda)
        {
            using var organism = new Trained(Architecture.Llama);
            new Ripple(new() { Lambda = lambda, Steps = 4, BatchSize = 4 }).Map(organism.Model, organism.Context, TestContext.Current.CancellationToken);
            return Toy.Weights(organism.Model);
        }
    }
}
