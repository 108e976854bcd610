using System.Runtime.InteropServices;
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

        if (adapters.IsForeign)
        {
            throw new InvalidOperationException("adapters with magnitudes, a scale of their own or whole parameters are read only");
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

    /// <summary>Attaches a saved adapter. Every tensor of the file must match a layer or a parameter of the model, in name and shape.</summary>
    /// <param name="leaveOut">Modules of the file that are knowingly not loaded, such as the classification head of an adapter for another task.</param>
    public static LoraAdapters Load(CausalModel model, string folder, IReadOnlyCollection<string>? leaveOut = null)
    {
        var config = PeftConfig.Read(Path.Combine(folder, "adapter_config.json"));
        using var file = SafeTensorsFile.Open(Path.Combine(folder, "adapter_model.safetensors"));
        var factors = new Dictionary<string, (Tensor A, Tensor B, Tensor? Magnitude)>(StringComparer.Ordinal);
        var known = new HashSet<string>(StringComparer.Ordinal);
        using var scope = NewDisposeScope();
        foreach (var layer in model.Linears)
        {
            var a = Find(file, $"{layer.Name}.lora_A.weight", [config.Rank, layer.InFeatures]);
            var b = Find(file, $"{layer.Name}.lora_B.weight", [layer.OutFeatures, config.Rank]);
            var m = !config.UseDora ? null
                : Find(file, $"{layer.Name}.lora_magnitude_vector.weight", [layer.OutFeatures]) ?? Find(file, $"{layer.Name}.lora_magnitude_vector", [layer.OutFeatures]);
            if (a is null != b is null || (config.UseDora && a is null != m is null))
            {
                throw new TemperException($"{file.Path}: {layer.Name}: found a part of an adapter, expected lora_A and lora_B{(config.UseDora ? " and lora_magnitude_vector" : "")}");
            }

            if (a is not null)
            {
                factors[layer.Name] = (Read(file, a), Read(file, b!), m is null ? null : Read(file, m));
                known.UnionWith(new[] { a, b!, m }.OfType<TensorInfo>().Select(t => t.Name));
            }
        }

        var saved = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, parameter) in model.Parameters.Where(p => config.IsSaved(p.Key)))
        {
            if (Find(file, name, parameter.shape) is { } whole)
            {
                saved[name] = Read(file, whole);
                known.Add(whole.Name);
            }
        }

        bool IsLeftOut(string name) => leaveOut?.Any(m => name.StartsWith($"{Prefix}{m}.", StringComparison.Ordinal)) == true;
        if (file.Tensors.FirstOrDefault(t => !known.Contains(t.Name) && !IsLeftOut(t.Name)) is { } stranger)
        {
            throw new TemperException($"{file.Path}: tensor {stranger.Name}: found, expected only {(config.UseDora ? "DoRA" : "LoRA")} factors of the model's linear layers and parameters that modules_to_save names");
        }

        return LoraAdapters.Attach(model, config.Rank, config.Alpha, config.Scale, factors, saved);
    }

    private static TensorInfo? Find(SafeTensorsFile file, string name, long[] shape)
    {
        if (!file.TryGet(Prefix + name, out var tensor))
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
