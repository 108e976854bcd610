using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class DpSgdTests
{
    [Fact]
    public void No_row_has_more_of_a_say_than_the_clip_allows()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Llama, tied: false);
        Tensor[] weights = [.. model.Parameters.Values];
        var rows = Toy.Harmful.Take(3).Select(Toy.Encode).ToArray();
        var together = DpSgd.ClippedSum(model, Batch.Of(rows), weights, 0.01, ForwardOptions.Default);
        var others = DpSgd.ClippedSum(model, Batch.Of(rows[..2]), weights, 0.01, ForwardOptions.Default);
        var free = DpSgd.ClippedSum(model, Batch.Of(rows), weights, 1e6, ForwardOptions.Default);

        Assert.InRange((together - others).norm().item<float>(), 0.0099, 0.0101);
        var sum = zeros_like(free);
        Gradients.PerRow(model, rows, weights, (_, gradient) => sum.add_(gradient), TestContext.Current.CancellationToken);
        Assert.InRange((free - sum).norm().item<float>() / sum.norm().item<float>(), 0, 1e-4);
    }

    [Fact]
    public void Without_clipping_and_noise_the_step_is_that_of_plain_tuning_on_rows_of_one_length() =>
        Assert.InRange(Toy.Distance(Toy.Tune([], steps: 1), Toy.Tune([Hook(new() { Clip = 1e6, Noise = 0 })], steps: 1)), 0, 2e-3);

    [Fact]
    public void Noise_is_the_seeds_and_leads_elsewhere()
    {
        Assert.Equal(Toy.Tune([Hook(new())], steps: 4), Toy.Tune([Hook(new())], steps: 4));
        Assert.NotEqual(Toy.Tune([Hook(new() { Noise = 0 })], steps: 4), Toy.Tune([Hook(new())], steps: 4));
    }

    [Fact]
    public void It_tells_what_privacy_was_spent()
    {
        using var hook = Hook(new() { Noise = 1.5 });
        Toy.Tune([hook], steps: 5);
        Assert.Matches(@"epsilon [\d.]+ at delta 0\.001", hook.Events.Single().Text);

        using var open = Hook(new() { Noise = 0 });
        Toy.Tune([open], steps: 5);
        Assert.Contains("Infinity", open.Events.Single().Text, StringComparison.Ordinal);
    }

    [Fact]
    public void It_resumes_and_leaves_nothing() => HookChecks.ResumesAndLeavesNothing(() => Hook(new()));

    [Fact]
    public void Full_tuning_and_adapters_are_clipped() => HookChecks.LeavesPlainTuningBehind(() => Hook(new()));

    private static TrainingHook Hook(DpSgdSettings settings) => new DpSgd(settings).CreateHook(Toy.Context());
}
