using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Training;

public sealed class LookaheadTests
{
    [Fact]
    public void The_look_sees_the_tuned_weights_and_leaves_weights_and_gradients_as_they_were()
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var w = tensor(new[] { 1f, -2f });
        w.grad = tensor(new[] { 7f, 8f });
        var parameters = new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["w"] = w };

        var seen = Lookahead.After(parameters, 3, 0.1, _ => w.square().sum(), () => w.data<float>().ToArray());

        // Adam's first steps are of the rate, against the sign of the gradient
        Assert.InRange(seen[0], 0.69f, 0.72f);
        Assert.InRange(seen[1], -1.72f, -1.69f);
        Assert.Equal([1f, -2f], w.data<float>().ToArray());
        Assert.Equal([7f, 8f], w.grad!.data<float>().ToArray());
    }

    [Fact]
    public void A_visit_sees_the_weights_after_every_step()
    {
        using var scope = NewDisposeScope();
        var w = tensor(new[] { 1f });
        var parameters = new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["w"] = w };
        var seen = new List<(int Step, float Value)>();

        var last = Lookahead.After(parameters, 3, 0.1, _ => w.square().sum(), () => w.item<float>(), step => seen.Add((step, w.item<float>())));

        Assert.Equal([0, 1, 2], seen.Select(s => s.Step));
        Assert.Equal(0.9f, seen[0].Value, 1e-3f);
        Assert.Equal(last, seen[2].Value);
        Assert.Equal(1f, w.item<float>());
    }

    [Fact]
    public void A_look_that_fails_restores_the_weights_too()
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var w = tensor(new[] { 1f });
        var parameters = new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["w"] = w };

        Assert.Throws<InvalidOperationException>(() => Lookahead.After<int>(parameters, 1, 0.1, _ => w.square().sum(), () => throw new InvalidOperationException("no")));

        Assert.Equal(1f, w.item<float>());
    }

    [Fact]
    public void A_product_with_the_Hessian_is_what_algebra_gives_and_moves_nothing()
    {
        using var scope = NewDisposeScope();
        var (w, u) = (tensor(new[] { 1f, 2f }), tensor(new[] { 3f }));

        // the Hessian of w1² w2 + u w1: ((2 w2, 2 w1, 1), (2 w1, 0, 0), (1, 0, 0)) = ((4, 2, 1), (2, 0, 0), (1, 0, 0))
        var product = HessianProduct.Of(() => (w[0] * w[0] * w[1]) + (u[0] * w[0]), [w, u], [tensor(new[] { 1f, -1f }), tensor(new[] { 2f })]);

        Assert.InRange((product[0] - tensor(new[] { 4f, 2f })).abs().max().item<float>(), 0, 1e-2f);
        Assert.InRange((product[1] - tensor(new[] { 1f })).abs().max().item<float>(), 0, 1e-2f);
        Assert.Equal([1f, 2f, 3f], (float[])[.. w.data<float>().ToArray(), .. u.data<float>().ToArray()]);
    }
}
