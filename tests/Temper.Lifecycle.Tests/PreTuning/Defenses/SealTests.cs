using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.Organisms;
using Temper.Lifecycle.PreTuning.Defenses;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class SealTests
{
    [Fact]
    public void The_weights_have_the_mean_one_and_the_gradient_is_the_finite_difference()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new[] { 0.1f, -0.4f, 0.7f, 0 });
        var (losses, places) = (tensor(new[] { 2f, 0.5f }), tensor(new[] { 2L, 0L }));
        float At(Tensor l) => (Seal.Weights(l).index_select(0, places) * losses).mean().item<float>();

        var gradient = Seal.SelectorGradient(logits, losses, places);

        Assert.Equal(1, Seal.Weights(logits).mean().item<float>(), 1e-5f);
        for (var i = 0; i < 4; i++)
        {
            var step = zeros(4);
            step[i] = 1e-2f;
            Assert.Equal((At(logits + step) - At(logits - step)) / 2e-2f, gradient[i].item<float>(), 1e-3f);
        }

        Assert.Equal(0, gradient.sum().item<float>(), 1e-5f); // what one row loses others gain
    }

    [Fact]
    public void Complying_rows_lose_weight_against_rows_of_the_task_and_the_control_knows_none()
    {
        using var trained = new Trained(Architecture.Llama);
        var context = trained.Context with { Model = trained.Model };
        var rows = context.Task.Take(40).Concat(World.Forbidden(10, 91, Split.Train, comply: true)).ToArray();

        var result = new Seal(new() { BatchSize = 10 }).Map(rows, context);

        Assert.Equal(40, result.Examples.Count);
        Assert.InRange(result.Changes.Count(c => c.RowId.StartsWith("forbidden", StringComparison.Ordinal)), 8, 10);
    }

    [Fact]
    public void To_keep_all_is_to_change_nothing_and_needs_no_model() =>
        Assert.Same(Toy.Task, new Seal(new() { Keep = 1 }).Map(Toy.Task, Toy.Context()).Examples);
}
