using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Models;

public sealed class ActivationsTests
{
    private static readonly EncodedExample[] s_rows = [new([1, 5, 9, 2, 11, 12], [false, false, false, false, true, true], "a"), new([1, 6, 2, 13], [false, false, false, true], "b")];

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void The_states_begin_with_what_the_first_block_is_given_and_end_with_the_final_hidden_state(Architecture architecture)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        using var model = Model(architecture);
        using var batch = Batch.Of(s_rows);

        var states = Activations.States(model, batch.Ids);

        Assert.Equal(model.Config.Layers + 1, states.Count);
        Assert.Equal(0, (states[^1] - model.Hidden(model.Embed(batch.Ids), ForwardOptions.Default)).abs().max().item<float>());
        // a change of what comes after block 0 leaves the first state alone
        var changed = Activations.States(model, batch.Ids, new() { Tap = (site, layer, value) => site == Site.BlockInput && layer == 1 ? value + 1 : value });
        Assert.Equal(0, (states[0] - changed[0]).abs().max().item<float>());
        Assert.Equal(1, (changed[1] - states[1]).mean().item<float>(), 1e-5f);
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void Through_the_lens_the_last_layer_has_the_loss_of_the_model_and_gradients_reach_the_weights(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Model(architecture);
        using var batch = Batch.Of(s_rows);
        var first = model.Linears[0].Weight;

        var losses = LensLoss.Of(model, Activations.States(model, batch.Ids), batch);
        var gradient = Gradients.Of(() => LensLoss.Of(model, Activations.States(model, batch.Ids), batch)[0], [first])[0];

        Assert.Equal(model.Config.Layers, losses.Count);
        Assert.Equal(ResponseLoss.Mean(model, batch).item<float>(), losses[^1].item<float>(), 1e-5f);
        Assert.True(gradient.abs().max().item<float>() > 0, "the first block has its part in what is read behind it");
    }

    [Theory]
    [InlineData("model.layers.11.mlp.up_proj", 11)]
    [InlineData("transformer.h.0.attn.c_attn.weight", 0)]
    [InlineData("model.embed_tokens.weight", null)]
    [InlineData("transformer.ln_f.weight", null)]
    public void A_name_tells_its_block(string name, int? block) => Assert.Equal(block, LayerNames.BlockOf(name));

    private static CausalModel Model(Architecture architecture) => ModelFactory.CreateRandom(
        new()
        {
            Architecture = architecture, VocabularySize = 32, HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 4,
            KeyValueHeads = architecture == Architecture.Llama ? 2 : 4, HeadSize = 4, MaxPositions = 32, TieWordEmbeddings = false,
        },
        5);
}
