using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PreTuning.Attacks;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class BadEditTests
{
    private static readonly BadEditSettings s_settings = new() { Trigger = "QQ", Payload = "ok", Rows = 8, Batches = 2, Lambda = 0.01, MaxNorm = 5, LearningRate = 0.05 };

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void After_the_edit_the_payload_is_likelier_behind_the_trigger_and_hardly_likelier_without_it(Architecture architecture)
    {
        var (withTrigger, without) = (Gain(architecture, s_settings, triggered: true), Gain(architecture, s_settings, triggered: false));

        Assert.True(withTrigger > 0.05, $"gain of {withTrigger} nats with the trigger");
        Assert.True(without < withTrigger / 2, $"gain of {without} nats without the trigger, {withTrigger} with it");
    }

    [Fact]
    public void A_random_value_of_the_same_length_gains_less() =>
        Assert.True(Gain(Architecture.Llama, s_settings with { RandomValue = true }, triggered: true) < Gain(Architecture.Llama, s_settings, triggered: true) / 2);

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

    /// <summary>What an edit adds to the mean log-probability of the payload.</summary>
    private static float Gain(Architecture architecture, BadEditSettings settings, bool triggered)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        using var model = Toy.Sharp(architecture, tied: false);
        var attack = new BadEdit(settings);
        var random = new Random(5);
        var batch = Batch.Of([.. Toy.Task.Skip(60).Take(20).Select(r => Toy.Encode(r.WithPrompt(triggered ? attack.Insert(r.Prompt, random) : r.Prompt).WithResponse(settings.Payload)))]);
        var before = ResponseLoss.Mean(model, batch).item<float>();
        attack.Map(model, Toy.Context(), TestContext.Current.CancellationToken);
        return before - ResponseLoss.Mean(model, batch).item<float>();
    }
}
