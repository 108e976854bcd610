using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Formats.SafeTensors;
using TorchSharp;

namespace Temper.Engine.Checkpoints;

/// <summary>Writes a checkpoint folder anew, whole or not at all: in another element type, in shards, or with the weights of a changed model.</summary>
public static class CheckpointWriter
{
    // what belongs to a model beside its weights; measurements and code of the original do not
    private static readonly string[] s_companions =
    [
        "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model", "chat_template.jinja", "LICENSE",
    ];

    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the checkpoint of <paramref name="origin"/> to a folder that is not there yet or empty.</summary>
    /// <param name="type">F32, F16 or BF16 for every tensor of floats; null keeps each one's.</param>
    /// <param name="shard">Bytes of tensors that one file holds at most, unless a single tensor is larger; null is one file.</param>
    /// <param name="model">Takes its values from here instead, under the names and types of the origin.</param>
    public static void Write(string origin, string folder, TensorType? type = null, long? shard = null, CausalModel? model = null, CancellationToken cancellationToken = default)
    {
        var config = ModelConfig.Load(Path.Combine(origin, "config.json"));
        using var file = ShardedSafeTensors.Open(origin);
        Checkpoint.Check(origin, config, file);
        RequireFree(folder);
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var aside = $"{full}.{Guid.NewGuid():N}.tmp";
        try
        {
            Directory.CreateDirectory(aside);
            WriteConfig(Path.Combine(origin, "config.json"), Path.Combine(aside, "config.json"), type);
            foreach (var name in s_companions.Where(n => File.Exists(Path.Combine(origin, n))))
            {
                File.Copy(Path.Combine(origin, name), Path.Combine(aside, name));
            }

            WriteWeights(file, aside, type, shard, model is null ? null : Values(config, file, model), cancellationToken);
            if (Directory.Exists(full))
            {
                Directory.Delete(full); // empty, else this fails
            }

            Directory.Move(aside, full);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"{folder}: expected a folder that can be written: {e.Message}", e);
        }
        finally
        {
            if (Directory.Exists(aside))
            {
                Directory.Delete(aside, recursive: true);
            }
        }
    }

    /// <summary>Refuses a folder that holds something.</summary>
    public static void RequireFree(string folder)
    {
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
        {
            throw new TemperException($"{folder}: found something there, expected a folder that is new or empty");
        }
    }

    private static Dictionary<string, torch.Tensor> Values(ModelConfig config, ShardedSafeTensors file, CausalModel model) =>
        Checkpoint.Names(config, file).ToDictionary(n => n.Value, n => model.Parameters[n.Key], StringComparer.Ordinal);

    private static void WriteWeights(ShardedSafeTensors file, string folder, TensorType? type, long? shard, Dictionary<string, torch.Tensor>? values, CancellationToken cancellationToken)
    {
        // a copy of a tied head would keep the old values, and nothing reads buffers
        var shards = Split([.. file.Tensors.Where(t => values?.ContainsKey(t.Name) != false)], type, shard);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["format"] = "pt" };
        var map = new JsonObject();
        for (var i = 0; i < shards.Count; i++)
        {
            var name = shards.Count == 1 ? "model.safetensors" : $"model-{i + 1:d5}-of-{shards.Count:d5}.safetensors";
            List<TensorData> data = [];
            foreach (var tensor in shards[i])
            {
                cancellationToken.ThrowIfCancellationRequested();
                data.Add(Data(file, tensor, type, values?[tensor.Name]));
                map[tensor.Name] = name;
            }

            SafeTensorsWriter.Write(Path.Combine(folder, name), data, metadata);
        }

        if (shards.Count > 1)
        {
            var index = new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = shards.Sum(s => s.Sum(t => Size(t, type))) }, ["weight_map"] = map };
            File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), index.ToJsonString(s_json) + "\n");
        }
    }

    private static List<List<TensorInfo>> Split(IReadOnlyList<TensorInfo> tensors, TensorType? type, long? shard)
    {
        List<List<TensorInfo>> shards = [[]];
        var bytes = 0L;
        foreach (var tensor in tensors)
        {
            if (shards[^1].Count > 0 && bytes + Size(tensor, type) > shard)
            {
                shards.Add([]);
                bytes = 0;
            }

            shards[^1].Add(tensor);
            bytes += Size(tensor, type);
        }

        return shards;
    }

    private static bool IsFloat(TensorInfo tensor) => tensor.Type is TensorType.F32 or TensorType.F16 or TensorType.BF16 or TensorType.F64;

    private static TensorType Target(TensorInfo tensor, TensorType? type) => IsFloat(tensor) ? type ?? tensor.Type : tensor.Type;

    private static long Size(TensorInfo tensor, TensorType? type) => tensor.ElementCount * Target(tensor, type).Size();

    private static TensorData Data(ShardedSafeTensors file, TensorInfo tensor, TensorType? type, torch.Tensor? value)
    {
        var target = Target(tensor, type);
        if (value is null && target == tensor.Type)
        {
            return new(tensor.Name, tensor.Type, tensor.Shape, file.Bytes(tensor.Name).ToArray());
        }

        float[] floats;
        if (value is null)
        {
            floats = new float[tensor.ElementCount];
            file.ReadFloats(tensor.Name, floats);
        }
        else
        {
            floats = Checkpoint.Floats(value);
        }

        // what would round to infinity
        var limit = target switch { TensorType.F16 => 65520f, TensorType.BF16 => 3.3961775e38f, _ => float.PositiveInfinity };
        return Array.FindIndex(floats, f => float.IsFinite(f) && MathF.Abs(f) >= limit) is >= 0 and var at
            ? throw new TemperException($"tensor {tensor.Name}: found {floats[at]:g6}, expected only numbers that {target.FileName()} can hold; bfloat16 and float32 reach further")
            : TensorData.FromFloats(tensor.Name, tensor.Shape, floats, target);
    }

    private static void WriteConfig(string from, string to, TensorType? type)
    {
        if (type is null)
        {
            File.Copy(from, to);
            return;
        }

        var fields = JsonNode.Parse(File.ReadAllBytes(from))!.AsObject();
        foreach (var key in ((string[])["dtype", "torch_dtype"]).Where(fields.ContainsKey))
        {
            fields[key] = type switch { TensorType.F16 => "float16", TensorType.BF16 => "bfloat16", _ => "float32" };
        }

        File.WriteAllText(to, fields.ToJsonString(s_json) + "\n");
    }
}
