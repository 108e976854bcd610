using System.Text.Json.Nodes;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Lora;
using Temper.Engine.Models;
using Temper.Formats.SafeTensors;
using Temper.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Lora;

public sealed class PeftFolderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("temper-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Real_adapters_of_GPT2_load_onto_a_base_of_its_shape_and_change_what_it_says()
    {
        using var scope = NewDisposeScope();
        using var model = ModelFactory.CreateRandom(
            new()
            {
                Architecture = Architecture.Gpt2, VocabularySize = 64, HiddenSize = 768, IntermediateSize = 3072, Layers = 12, Heads = 12, KeyValueHeads = 12, HeadSize = 64, MaxPositions = 32,
                AttentionBias = true, MlpBias = true,
            },
            1);
        var before = Logits(model);
        var path = TestData.Require("adapters", "abrhaleyarefaine1997__gpt2-tigrinya-lora");
        using (var adapters = PeftFolder.Load(model, path))
        {
            Assert.Equal(36, adapters.Layers.Count);
            Assert.True(Difference(Logits(model), before) > 1e-3);
        }

        Assert.Equal(before, Logits(model));
        var classifier = TestData.Require("adapters", "anirudh-ak__peft-gpt2");
        Assert.Contains("score.weight", Assert.Throws<TemperException>(() => PeftFolder.Load(model, classifier)).Message, StringComparison.Ordinal);
        using var named = PeftFolder.Load(model, classifier, ["score"]);
        Assert.Equal(12, named.Layers.Count);
    }

    [Fact]
    public void The_scale_of_rsLoRA_falls_with_the_root_of_the_rank()
    {
        using var model = Tiny();
        using var plain = Write(model, rsLora: false, out _);
        var factor = plain.Layers[0].Adapter!.Scale;
        plain.Dispose();
        using var rooted = Write(model, rsLora: true, out _);

        Assert.Equal(factor * Math.Sqrt(4), rooted.Layers[0].Adapter!.Scale, 1e-9);
    }

    [Fact]
    public void DoRA_stretches_the_rows_of_the_sum_to_its_magnitudes_and_merges_to_the_same()
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        using var model = Tiny();
        var before = Checkpoint.Floats(model.Parameters["model.layers.0.self_attn.q_proj.weight"]);
        using var adapters = Write(model, rsLora: false, out var magnitudes, dora: true);
        var layer = adapters.Layers[0];
        var adapted = Logits(model);
        adapters.Merge();

        Assert.True(Difference(adapted, Logits(model)) < 1e-5);
        Assert.True(Difference(Checkpoint.Floats(layer.Weight.norm(1)), magnitudes) < 1e-5);
        adapters.Unmerge();
        Assert.Equal(before, Checkpoint.Floats(layer.Weight));
    }

    [Fact]
    public void A_whole_module_takes_the_place_of_the_models_own_until_the_adapter_goes()
    {
        using var scope = NewDisposeScope();
        using var model = Tiny();
        var before = Logits(model);
        using (Write(model, rsLora: false, out _, head: true))
        {
            Assert.All(Checkpoint.Floats(model.HeadWeight), v => Assert.Equal(0.5f, v));
        }

        Assert.Equal(before, Logits(model));
    }

    [Theory]
    [InlineData("bias", "\"all\"")]
    [InlineData("r", "0")]
    [InlineData("r", "\"8\"")]
    [InlineData("lora_alpha", "null")]
    [InlineData("peft_type", "\"IA3\"")]
    [InlineData("use_dora", "1")]
    [InlineData("modules_to_save", "[1]")]
    [InlineData("init_lora_weights", "\"pissa\"")]
    [InlineData("rank_pattern", "{\"q_proj\": 2}")]
    [InlineData("layer_replication", "[[0, 1]]")]
    public void What_a_configuration_would_change_unseen_is_refused_by_its_name(string field, string value)
    {
        using var model = Tiny();
        Write(model, rsLora: false, out _).Dispose();
        var path = Path.Combine(folder, "adapter_config.json");
        var config = JsonNode.Parse(File.ReadAllText(path))!;
        config[field] = JsonNode.Parse(value);
        File.WriteAllText(path, config.ToJsonString());

        Assert.Contains($"{field}: found ", Assert.Throws<TemperException>(() => PeftFolder.Load(model, folder)).Message, StringComparison.Ordinal);
    }

    private LoraAdapters Write(CausalModel model, bool rsLora, out float[] magnitudes, bool dora = false, bool head = false)
    {
        const string Layer = "base_model.model.model.layers.0.self_attn.q_proj";
        var random = new Random(5);
        TensorData Data(string name, params long[] shape)
        {
            var values = Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ => head && name.Contains("lm_head", StringComparison.Ordinal) ? 0.5f : random.NextSingle() + 0.1f).ToArray();
            return TensorData.FromFloats(name, shape, values, TensorType.F32);
        }

        magnitudes = [.. Enumerable.Range(0, 16).Select(i => 1f + i)];
        List<TensorData> tensors = [Data($"{Layer}.lora_A.weight", 4, 16), Data($"{Layer}.lora_B.weight", 16, 4)];
        if (dora)
        {
            tensors.Add(TensorData.FromFloats($"{Layer}.lora_magnitude_vector.weight", [16], magnitudes, TensorType.F32));
        }

        if (head)
        {
            tensors.Add(Data("base_model.model.lm_head.weight", 32, 16));
        }

        SafeTensorsWriter.Write(Path.Combine(folder, "adapter_model.safetensors"), tensors, new Dictionary<string, string>(StringComparer.Ordinal));
        var config = new JsonObject { ["peft_type"] = "LORA", ["r"] = 4, ["lora_alpha"] = 8, ["use_rslora"] = rsLora, ["use_dora"] = dora, ["modules_to_save"] = head ? new JsonArray("lm_head") : null };
        File.WriteAllText(Path.Combine(folder, "adapter_config.json"), config.ToJsonString());
        return PeftFolder.Load(model, folder);
    }

    private static CausalModel Tiny() => ModelFactory.CreateRandom(
        new()
        {
            Architecture = Architecture.Llama, VocabularySize = 32, HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 4, KeyValueHeads = 2, HeadSize = 4, MaxPositions = 32, TieWordEmbeddings = false,
        },
        3);

    private static float[] Logits(CausalModel model)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        return Checkpoint.Floats(model.Forward(arange(0, 12, ScalarType.Int64).unsqueeze(0)));
    }

    private static double Difference(float[] one, float[] other) => one.Zip(other, (a, b) => Math.Abs(a - b)).Max();
}
