using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Lifecycle.PostTuning.Defenses;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PostTuning.Defenses;

public sealed class FinePruningTests
{
    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void The_neurons_that_sleep_most_are_cut_out_and_tuning_does_not_wake_them(Architecture architecture)
    {
        using var model = Toy.Model(architecture, tied: true);
        var before = FinePruning.Activations(model, [.. Toy.Task.Select(Toy.Encode)], TestContext.Current.CancellationToken);
        var weights = Toy.Weights(model);

        new FinePruning(new() { Share = 0.25, Steps = 5 }).Map(model, Toy.Context(), TestContext.Current.CancellationToken);
        var after = FinePruning.Activations(model, [.. Toy.Task.Select(Toy.Encode)], TestContext.Current.CancellationToken);

        Assert.NotEqual(weights, Toy.Weights(model));
        Assert.All(before.Zip(after), layer =>
        {
            Assert.Equal(8, layer.Second.Count(a => a == 0));
            Assert.Equal(0, layer.Second[Array.IndexOf(layer.First, layer.First.Min())]);
            Assert.True(layer.Second[Array.IndexOf(layer.First, layer.First.Max())] > 0, "the liveliest neuron stays");
        });
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void A_cut_neuron_is_gone_from_the_forward_pass(Architecture architecture)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        using var model = Toy.Model(architecture, tied: true);
        var ids = tensor(new long[] { 3, 1, 4, 1, 5 }, 1, 5);
        var masked = model.Forward(ids, new() { Tap = (site, layer, value) => site == Site.MlpHidden && layer == 1 ? value * tensor(Enumerable.Range(0, 32).Select(i => i is 3 or 7 ? 0f : 1f).ToArray()) : value });

        FinePruning.Cut(model, 1, [3, 7]);

        Assert.InRange(Toy.Distance(Checkpoint.Floats(masked), Checkpoint.Floats(model.Forward(ids))), 0, 1e-6);
    }

    [Fact]
    public void Share_zero_without_tuning_changes_nothing()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var before = Toy.Weights(model);

        new FinePruning(new() { Share = 0, Steps = 0 }).Map(model, Toy.Context(), TestContext.Current.CancellationToken);

        Assert.Equal(before, Toy.Weights(model));
    }

    [Fact]
    public void The_control_cuts_as_many_neurons_and_others()
    {
        using var dormant = Toy.Model(Architecture.Llama, tied: true);
        using var random = Toy.Model(Architecture.Llama, tied: true);
        var settings = new FinePruningSettings { Share = 0.25, Steps = 0 };

        new FinePruning(settings).Map(dormant, Toy.Context(), TestContext.Current.CancellationToken);
        new FinePruning(settings with { Random = true }).Map(random, Toy.Context(), TestContext.Current.CancellationToken);

        Assert.Equal(Toy.Weights(dormant).Count(w => w == 0), Toy.Weights(random).Count(w => w == 0));
        Assert.NotEqual(Toy.Weights(dormant), Toy.Weights(random));
    }

    [Fact]
    public void Without_clean_rows_the_error_says_what_is_missing()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);

        var error = Assert.Throws<TemperException>(() => new FinePruning(new()).Map(model, Toy.Context() with { Task = [] }, TestContext.Current.CancellationToken));

        Assert.Contains("found no clean rows", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_stays_in_memory()
    {
        using var model = Toy.Model(Architecture.Gpt2, tied: true);
        var live = Enumerable.Range(0, 3).Select(_ =>
        {
            new FinePruning(new() { Steps = 2 }).Map(model, Toy.Context(), TestContext.Current.CancellationToken);
            return Toy.LiveTensors;
        }).ToArray();

        Assert.Equal(live[1], live[2]);
    }
}
