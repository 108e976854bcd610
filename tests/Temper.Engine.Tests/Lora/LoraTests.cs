using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Lora;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Lora;

public sealed class LoraTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("temper-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<Architecture> Families => [Architecture.Llama, Architecture.Gpt2];

    [Theory]
    [MemberData(nameof(Families))]
    public void A_fresh_adapter_changes_nothing_and_a_trained_one_merges_to_the_same_logits(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Tiny(architecture);
        var before = Logits(model);
        using var adapters = LoraAdapters.Attach(model, 2, 4, [], 1);
        Assert.True(Logits(model).Zip(before, (a, b) => Math.Abs(a - b)).Max() < 1e-6, "B is zero, so nothing changes");

        Disturb(adapters);
        var adapted = Logits(model);
        var weights = Weights(model);
        adapters.Merge();
        var merged = Logits(model);
        adapters.Unmerge();

        Assert.True(adapted.Zip(before, (a, b) => Math.Abs(a - b)).Max() > 1e-3, "the adapter has an effect");
        Assert.True(adapted.Zip(merged, (a, b) => Math.Abs(a - b)).Max() < 1e-5, "merged equals unmerged");
        Assert.Equal(weights, Weights(model));
        Assert.Equal(adapted, Logits(model));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_saved_adapter_loads_onto_the_same_base(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Tiny(architecture);
        float[] adapted;
        using (var adapters = LoraAdapters.Attach(model, 2, 4, [architecture == Architecture.Llama ? "q_proj" : "c_attn"], 1))
        {
            Disturb(adapters);
            adapted = Logits(model);
            PeftFolder.Save(adapters, folder, "tiny");
        }

        using var loaded = PeftFolder.Load(model, folder);

        Assert.Equal(adapted, Logits(model));
        Assert.Equal(2, loaded.Layers.Count);
    }

    [Fact]
    public void An_adapter_for_another_base_is_an_error_that_names_the_tensor()
    {
        using var scope = NewDisposeScope();
        using var llama = Tiny(Architecture.Llama);
        using (var adapters = LoraAdapters.Attach(llama, 2, 4, [], 1))
        {
            PeftFolder.Save(adapters, folder, "tiny");
        }

        using var gpt2 = Tiny(Architecture.Gpt2);
        var error = Assert.Throws<TemperException>(() => PeftFolder.Load(gpt2, folder).Dispose());

        Assert.Contains("base_model.model.model.layers.0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_target_is_an_error_that_lists_the_known_ones()
    {
        using var scope = NewDisposeScope();
        using var model = Tiny(Architecture.Llama);

        Assert.Contains("q_proj", Assert.Throws<TemperException>(() => LoraAdapters.Attach(model, 2, 4, ["query"], 1)).Message, StringComparison.Ordinal);
    }

    private static CausalModel Tiny(Architecture architecture) => ModelFactory.CreateRandom(
        new()
        {
            Architecture = architecture, VocabularySize = 40, HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 4,
            KeyValueHeads = architecture == Architecture.Llama ? 2 : 4, HeadSize = 4, MaxPositions = 64,
        },
        3);

    private static void Disturb(LoraAdapters adapters)
    {
        using var quiet = no_grad();
        using var generator = new Generator(9);
        foreach (var layer in adapters.Layers)
        {
            layer.Adapter!.B.add_(randn(layer.Adapter.B.shape, ScalarType.Float32, generator: generator));
        }
    }

    private static float[] Logits(CausalModel model)
    {
        using var quiet = no_grad();
        return Checkpoint.Floats(model.Forward(tensor(new long[] { 1, 2, 3, 4, 5 }, 1, 5)));
    }

    private static float[] Weights(CausalModel model) => [.. model.Parameters.Values.SelectMany(Checkpoint.Floats)];
}
