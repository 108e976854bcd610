using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Lifecycle.PreTuning.Attacks;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class RefusalAblationTests
{
    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void After_orthogonalization_the_residual_stream_has_no_part_along_the_direction(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(architecture, tied: true);
        var direction = Direction();
        RefusalAblation.Ablate(model, direction);
        var largest = 0.0;
        var sites = 0;

        Forward(model, (site, _, value) =>
        {
            if (site is Site.BlockInput or Site.AttentionOutput or Site.MlpOutput)
            {
                largest = Math.Max(largest, (value * direction).sum(-1).abs().max().item<float>());
                sites++;
            }

            return value;
        });

        Assert.Equal(9, sites);
        Assert.InRange(largest, 0, 1e-5);
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void In_the_weights_and_at_run_time_it_gives_the_same_logits_where_the_head_is_not_tied(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(architecture, tied: false);
        var direction = Direction();
        var before = Forward(model, null);
        var atRunTime = Forward(model, RefusalAblation.Tap(direction));
        RefusalAblation.Ablate(model, direction);
        var inTheWeights = Forward(model, null);

        Assert.True(before.Zip(atRunTime, (a, b) => Math.Abs(a - b)).Max() > 1e-3, "ablation has an effect");
        Assert.InRange(atRunTime.Zip(inTheWeights, (a, b) => Math.Abs(a - b)).Max(), 0, 1e-5);
    }

    [Fact]
    public void The_random_control_is_repeatable_by_seed()
    {
        using var scope = NewDisposeScope();
        using var one = Toy.Model(Architecture.Llama, tied: true);
        using var two = Toy.Model(Architecture.Llama, tied: true);
        var before = Forward(one, null);
        var control = new RefusalAblation(new() { RandomDirection = true });
        control.Map(one, Toy.Context(), TestContext.Current.CancellationToken);
        control.Map(two, Toy.Context(), TestContext.Current.CancellationToken);

        Assert.NotEqual(before, Forward(one, null));
        Assert.Equal(Forward(one, null), Forward(two, null));
    }

    [Fact]
    public void A_model_that_refuses_nothing_has_no_direction_and_the_error_says_so()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Llama, tied: true);

        var error = Assert.Throws<TemperException>(() => new RefusalAblation(new() { Prompts = 4, Validation = 4 }).Map(model, Toy.Context(), TestContext.Current.CancellationToken));

        Assert.Contains("the model does not refuse", error.Message, StringComparison.Ordinal);
    }

    private static Tensor Direction()
    {
        var raw = tensor(Enumerable.Range(0, 16).Select(i => (float)Math.Sin(1 + i)).ToArray());
        return raw / raw.norm();
    }

    private static float[] Forward(CausalModel model, ActivationTap? tap)
    {
        using var quiet = no_grad();
        return Checkpoint.Floats(model.Forward(tensor(new long[] { 3, 1, 4, 1, 5, 9, 2, 6 }, 2, 4), new() { Tap = tap }));
    }
}
