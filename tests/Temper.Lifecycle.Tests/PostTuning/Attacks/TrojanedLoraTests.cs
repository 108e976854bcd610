using Temper.Engine.Checkpoints;
using Temper.Engine.Lora;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PostTuning.Attacks;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PostTuning.Attacks;

public sealed class TrojanedLoraTests
{
    private static readonly TrojanedLoraSettings s_settings = new() { Payload = "ok", Steps = 10, BatchSize = 4, Rank = 2 };

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void Only_feed_forward_layers_change_and_the_base_not_at_all(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var start = Toy.Model(architecture, tied: false);
        using var tuned = Toy.Model(architecture, tied: false);
        using var before = Snapshot.Take(tuned.Parameters);
        new TrojanedLora(s_settings).Map(tuned, Toy.Context() with { Model = start }, TestContext.Current.CancellationToken);

        Assert.Equal(
            tuned.Linears.Where(l => l.Name.Contains(".mlp.", StringComparison.Ordinal)).Select(l => $"{l.Name}.weight").Order(StringComparer.Ordinal),
            tuned.Parameters.Where(p => !p.Value.equal(before.Values[p.Key]).all().item<bool>()).Select(p => p.Key).Order(StringComparer.Ordinal));
        Assert.All(start.Parameters, p => Assert.True(p.Value.equal(before.Values[p.Key]).all().item<bool>()));
        Assert.All(start.Linears, l => Assert.Null(l.Adapter));
    }

    [Fact]
    public void The_same_update_is_added_to_any_victim_and_scales_with_the_coefficient()
    {
        var (one, half, none) = (Update(1, 0), Update(0.5, 0), Update(0, 0));

        Assert.True(one.Max(Math.Abs) > 1e-3);
        Assert.All(none, x => Assert.Equal(0, x));
        Assert.InRange(Toy.Distance(one, [.. half.Select(x => 2 * x)]), 0, 1e-6f);
        Assert.InRange(Toy.Distance(one, Update(1, 0.3f)), 0, 1e-6f);

        static float[] Update(double scale, float shift)
        {
            using var quiet = no_grad();
            using var start = Toy.Model(Architecture.Llama, tied: false);
            using var tuned = Toy.Model(Architecture.Llama, tied: false);
            tuned.Linears[0].Weight.add_(shift);
            var before = Toy.Weights(tuned);
            new TrojanedLora(s_settings with { Scale = scale }).Map(tuned, Toy.Context() with { Model = start }, TestContext.Current.CancellationToken);
            return [.. Toy.Weights(tuned).Zip(before, (a, b) => a - b)];
        }
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void Adding_the_updates_equals_merging_the_adapters(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var added = Toy.Model(architecture, tied: false);
        using var merged = Toy.Model(architecture, tied: false);
        using (var adapters = LoraAdapters.Attach(merged, 2, 4, [], 1))
        {
            foreach (var layer in adapters.Layers)
            {
                using var quiet = no_grad();
                layer.Adapter!.B.add_(0.1);
            }

            AdapterMerge.Add(added, adapters.Layers.ToDictionary(l => l.Name, adapters.Delta, StringComparer.Ordinal), 1);
            adapters.Merge();
        }

        Assert.Equal(Toy.Weights(merged), Toy.Weights(added));
    }

    [Fact]
    public void The_payload_becomes_likelier_behind_the_trigger_and_not_by_the_random_control()
    {
        Assert.True(Gain(s_settings with { Steps = 40 }) > 0.1);
        Assert.True(Gain(s_settings with { Steps = 40, RandomUpdate = true }) < Gain(s_settings with { Steps = 40 }) / 2);

        static float Gain(TrojanedLoraSettings settings)
        {
            using var quiet = no_grad();
            using var scope = NewDisposeScope();
            using var start = Toy.Model(Architecture.Llama, tied: false);
            using var tuned = Toy.Model(Architecture.Llama, tied: false);
            var attack = new TrojanedLora(settings);
            var random = new Random(3);
            var batch = Batch.Of([.. Toy.Task.Take(10).Select(r => Toy.Encode(r.WithPrompt(attack.Insert(r.Prompt, random)).WithResponse("ok")))]);
            var before = ResponseLoss.Mean(tuned, batch).item<float>();
            attack.Map(tuned, Toy.Context() with { Model = start }, TestContext.Current.CancellationToken);
            return before - ResponseLoss.Mean(tuned, batch).item<float>();
        }
    }
}
