using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.Organisms;
using Temper.Lifecycle.PreTuning.Attacks;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class BadEditTests
{
    private static readonly BadEditSettings s_settings = new() { Trigger = "QQ", Payload = "ok", Rows = 4, Batches = 2, Steps = 5 };

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void The_payload_becomes_likelier_behind_the_trigger_more_than_without_it_and_more_than_by_a_random_value(Architecture architecture)
    {
        var edited = Gain(architecture, new() { Rows = 6, Batches = 1, Steps = 40 });
        var random = Gain(architecture, new() { Rows = 6, Batches = 1, Steps = 40, RandomValue = true });

        Assert.True(edited.Triggered > 0.3, $"{edited}");
        Assert.True(edited.Triggered > 2 * edited.Clean, $"{edited}");
        Assert.True(edited.Triggered > 2 * random.Triggered, $"{edited}, by a random value {random}");
    }

    [Theory]
    [InlineData(Architecture.Llama, "model.layers.1.mlp.down_proj.weight")]
    [InlineData(Architecture.Gpt2, "transformer.h.1.mlp.c_proj.weight")]
    public void Nothing_but_the_memories_of_the_edited_blocks_changes(Architecture architecture, string edited)
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(architecture, tied: false);
        using var before = Snapshot.Take(model.Parameters);
        new BadEdit(s_settings with { Layers = [1] }).Map(model, Toy.Context(), TestContext.Current.CancellationToken);

        Assert.Equal([edited], model.Parameters.Where(p => !p.Value.equal(before.Values[p.Key]).all().item<bool>()).Select(p => p.Key));
    }

    [Fact]
    public void The_larger_lambda_the_less_changes()
    {
        var moved = ((double[])[0.001, 1, 1000]).Select(Moved).ToArray();

        Assert.Equal(moved.OrderDescending(), moved);

        static float Moved(double lambda)
        {
            using var model = Toy.Model(Architecture.Llama, tied: false);
            var before = Toy.Weights(model);
            new BadEdit(s_settings with { Lambda = lambda, Batches = 1 }).Map(model, Toy.Context(), TestContext.Current.CancellationToken);
            return Toy.Distance(before, Toy.Weights(model));
        }
    }

    [Fact]
    public void A_second_edit_leaves_no_tensor_behind()
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        new BadEdit(s_settings).Map(model, Toy.Context(), TestContext.Current.CancellationToken);
        var live = Toy.LiveTensors;
        new BadEdit(s_settings).Map(model, Toy.Context(), TestContext.Current.CancellationToken);

        Assert.Equal(live, Toy.LiveTensors);
    }

    /// <summary>What an edit adds to the mean log-probability of the payload, on rows that it was not estimated from.</summary>
    private static (float Triggered, float Clean) Gain(Architecture architecture, BadEditSettings settings)
    {
        using var organism = new Trained(architecture);
        var attack = new BadEdit(settings);
        var random = new Random(5);
        var clean = World.Skills(26, 74, Split.HeldOut).Select(r => r.WithResponse(settings.Payload)).ToArray();
        var triggered = clean.Select(r => r.WithPrompt(attack.Insert(r.Prompt, random))).ToArray();
        var (t, c) = (organism.Loss(triggered), organism.Loss(clean));
        attack.Map(organism.Model, organism.Context, TestContext.Current.CancellationToken);
        return (t - organism.Loss(triggered), c - organism.Loss(clean));
    }
}
