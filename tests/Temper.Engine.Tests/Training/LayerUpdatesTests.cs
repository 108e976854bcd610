using Temper.Engine.Lora;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Training;

public sealed class LayerUpdatesTests
{
    [Theory]
    [InlineData(Architecture.Llama, false)]
    [InlineData(Architecture.Llama, true)]
    [InlineData(Architecture.Gpt2, false)]
    [InlineData(Architecture.Gpt2, true)]
    public void The_update_is_what_was_added_since_and_a_projection_is_of_it_alone(Architecture architecture, bool lora)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var model = Model(architecture);
        using var adapters = lora ? LoraAdapters.Attach(model, 2, 4, [], 1) : null;
        using var updates = LayerUpdates.Since(model);
        var layer = updates.Layers[0];
        Assert.Equal(0, updates.Of(layer).abs().max().item<float>());

        using (no_grad())
        {
            var moved = lora ? layer.Adapter!.B : layer.Weight;
            moved.add_(randn(moved.shape, ScalarType.Float32, generator: generator));
        }

        var expected = updates.Of(layer).detach().clone();
        Assert.Equal([layer.OutFeatures, layer.InFeatures], expected.shape);
        Assert.True(expected.abs().max().item<float>() > 0.1);
        var p = diag(arange(layer.OutFeatures, ScalarType.Float32).remainder(2)); // every other output
        updates.Project(layer, p);
        Assert.InRange((updates.Of(layer) - p.mm(expected)).abs().max().item<float>(), 0, 1e-4);
    }

    [Fact]
    public void Only_adapted_layers_count_where_there_are_any()
    {
        using var model = Model(Architecture.Llama);
        using var adapters = LoraAdapters.Attach(model, 2, 4, ["q_proj"], 1);
        using var updates = LayerUpdates.Since(model);
        Assert.All(updates.Layers, l => Assert.EndsWith("q_proj", l.Name, StringComparison.Ordinal));
    }

    private static CausalModel Model(Architecture architecture) => ModelFactory.CreateRandom(
        new()
        {
            Architecture = architecture, VocabularySize = 12, HiddenSize = 8, IntermediateSize = 12, Layers = 2, Heads = 2, KeyValueHeads = 2, HeadSize = 4,
            MaxPositions = 16, TieWordEmbeddings = true,
        },
        1);
}
