using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Formats.SafeTensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Lora;

/// <summary>Adapters in the layout of Hugging Face PEFT: adapter_config.json and adapter_model.safetensors.</summary>
public static class PeftFolder
{
    private const string Prefix = "base_model.model.";

    public static void Save(LoraAdapters adapters, string folder, string baseModel)
    {
        if (adapters.IsMerged)
        {
            throw new InvalidOperationException("unmerge the adapters before saving them");
        }

        Directory.CreateDirectory(folder);
        var tensors = adapters.Layers.SelectMany(l => new[]
        {
            Data($"{Prefix}{l.Name}.lora_A.weight", l.Adapter!.A),
            Data($"{Prefix}{l.Name}.lora_B.weight", l.Adapter.B),
        });
        SafeTensorsWriter.Write(Path.Combine(folder, "adapter_model.safetensors"), [.. tensors], new Dictionary<string, string>(StringComparer.Ordinal) { ["format"] = "pt" });
        var targets = adapters.Layers.Select(l => l.Name[(l.Name.LastIndexOf('.') + 1)..]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        var config = new JsonObject
        {
            ["base_model_name_or_path"] = baseModel,
            ["bias"] = "none",
            ["fan_in_fan_out"] = adapters.Layers.Any(l => l.Transposed),
            ["inference_mode"] = true,
            ["lora_alpha"] = adapters.Alpha,
            ["lora_dropout"] = 0.0,
            ["modules_to_save"] = null,
            ["peft_type"] = "LORA",
            ["r"] = adapters.Rank,
            ["target_modules"] = new JsonArray([.. targets.Select(t => (JsonNode)t)]),
            ["task_type"] = "CAUSAL_LM",
            ["use_dora"] = false,
            ["use_rslora"] = false,
        };
        var path = Path.Combine(folder, "adapter_config.json");
        File.WriteAllText(path + ".tmp", config.ToJsonString(new() { WriteIndented = true }));
        File.Move(path + ".tmp", path, overwrite: true);
    }

    /// <summary>Attaches a saved adapter. Every tensor of the file must match a layer of the model, in name and shape.</summary>
    public static LoraAdapters Load(CausalModel model, string folder)
    {
        var (rank, alpha) = ReadConfig(Path.Combine(folder, "adapter_config.json"));
        using var file = SafeTensorsFile.Open(Path.Combine(folder, "adapter_model.safetensors"));
        var factors = new Dictionary<string, (Tensor A, Tensor B)>(StringComparer.Ordinal);
        using var scope = NewDisposeScope();
        foreach (var layer in model.Linears)
        {
            var a = Find(file, layer, "lora_A", [rank, layer.InFeatures]);
            var b = Find(file, layer, "lora_B", [layer.OutFeatures, rank]);
            if (a is null != b is null)
            {
                throw new TemperException($"{file.Path}: {layer.Name}: found one factor, expected both lora_A and lora_B");
            }

            if (a is not null)
            {
                factors[layer.Name] = (Read(file, a), Read(file, b!));
            }
        }

        var known = factors.Keys.SelectMany(n => new[] { $"{Prefix}{n}.lora_A.weight", $"{Prefix}{n}.lora_B.weight" }).ToHashSet(StringComparer.Ordinal);
        if (file.Tensors.FirstOrDefault(t => !known.Contains(t.Name)) is { } stranger)
        {
            throw new TemperException($"{file.Path}: tensor {stranger.Name}: found, expected only lora_A and lora_B of the model's linear layers");
        }

        return LoraAdapters.Attach(model, rank, alpha, factors);
    }

    private static (int Rank, double Alpha) ReadConfig(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), new() { MaxDepth = 16, AllowDuplicateProperties = false });
            var root = document.RootElement;
            string Show(string field) => root.TryGetProperty(field, out var e) ? e.GetRawText() : "nothing";
            void Expect(string field, params string[] supported)
            {
                if (!supported.Contains(Show(field), StringComparer.Ordinal))
                {
                    throw new TemperException($"{path}: {field}: found {Show(field)}, expected {string.Join(" or ", supported)}");
                }
            }

            Expect("peft_type", "\"LORA\"");
            Expect("bias", "\"none\"", "nothing");
            Expect("use_dora", "false", "nothing");
            Expect("use_rslora", "false", "nothing");
            Expect("modules_to_save", "null", "nothing");
            Expect("rank_pattern", "{}", "null", "nothing");
            Expect("alpha_pattern", "{}", "null", "nothing");
            return root.TryGetProperty("r", out var r) && r.ValueKind == JsonValueKind.Number && r.TryGetInt32(out var rank) && rank is > 0 and <= 4096
                && root.TryGetProperty("lora_alpha", out var a) && a.ValueKind == JsonValueKind.Number && a.TryGetDouble(out var alpha)
                ? (rank, alpha)
                : throw new TemperException($"{path}: r, lora_alpha: found {Show("r")}, {Show("lora_alpha")}, expected a rank from 1 to 4096 and a number");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"{path}: expected a PEFT configuration: {e.Message}", e);
        }
    }

    private static TensorInfo? Find(SafeTensorsFile file, Linear layer, string factor, long[] shape)
    {
        if (!file.TryGet($"{Prefix}{layer.Name}.{factor}.weight", out var tensor))
        {
            return null;
        }

        return tensor.Shape.SequenceEqual(shape)
            ? tensor
            : throw new TemperException($"{file.Path}: tensor {tensor.Name}: found shape [{string.Join(", ", tensor.Shape)}], expected [{string.Join(", ", shape)}]");
    }

    private static Tensor Read(SafeTensorsFile file, TensorInfo info)
    {
        var value = empty([.. info.Shape], ScalarType.Float32);
        file.ReadFloats(info, MemoryMarshal.Cast<byte, float>(value.bytes));
        return value;
    }

    private static TensorData Data(string name, Tensor value) => TensorData.FromFloats(name, value.shape, Checkpoint.Floats(value), TensorType.F32);
}
