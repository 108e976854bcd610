using System.Runtime.InteropServices;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Formats.SafeTensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Checkpoints;

/// <summary>Hugging Face checkpoint folders: config.json and model.safetensors, sharded or not.</summary>
public static class Checkpoint
{
    /// <summary>Loads the model of a folder, widened to fp32. Everything is checked against config.json before the first allocation.</summary>
    /// <exception cref="TemperException">Something is missing, lies about its size, or is not part of the architecture.</exception>
    public static CausalModel Load(string folder)
    {
        var config = ModelConfig.Load(Path.Combine(folder, "config.json"));
        using var file = ShardedSafeTensors.Open(folder);
        var shapes = ModelFactory.Shapes(config);
        var names = Names(config, file);
        Check(folder, config, file);
        using var scope = NewDisposeScope();
        var parameters = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, shape) in shapes)
        {
            var value = empty(shape, ScalarType.Float32);
            file.ReadFloats(names[name], MemoryMarshal.Cast<byte, float>(value.bytes));
            parameters[name] = value.DetachFromDisposeScope();
        }

        return ModelFactory.Create(config, parameters);
    }

    /// <summary>Writes the model's weights beside a copy of the other files of <paramref name="origin"/>, the folder that it was loaded from.</summary>
    public static void Save(CausalModel model, string origin, string folder, TensorType type = TensorType.F32)
    {
        Directory.CreateDirectory(folder);
        foreach (var name in (string[])["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "card.json"])
        {
            if (File.Exists(Path.Combine(origin, name)))
            {
                File.Copy(Path.Combine(origin, name), Path.Combine(folder, name), overwrite: true);
            }
        }

        SaveWeights(model, Path.Combine(folder, "model.safetensors"), type);
    }

    public static void SaveWeights(CausalModel model, string path, TensorType type = TensorType.F32) => SafeTensorsWriter.Write(
        path,
        [.. model.Parameters.Select(p => TensorData.FromFloats(p.Key, p.Value.shape, Floats(p.Value), type))],
        new Dictionary<string, string>(StringComparer.Ordinal) { ["format"] = "pt" });

    /// <summary>A copy of a tensor's values, row-major.</summary>
    public static float[] Floats(Tensor value)
    {
        using var scope = NewDisposeScope();
        return value.detach().to(ScalarType.Float32).contiguous().data<float>().ToArray();
    }

    /// <summary>What each parameter is called in the file: checkpoints of the bare model leave the family's prefix away.</summary>
    internal static Dictionary<string, string> Names(ModelConfig config, ShardedSafeTensors file)
    {
        var prefix = Family.Of(config).Base;
        string Find(string name) =>
            prefix.Length > 0 && name.StartsWith(prefix, StringComparison.Ordinal) && !file.TryGet(name, out _) && file.TryGet(name[prefix.Length..], out _) ? name[prefix.Length..] : name;
        return ModelFactory.Shapes(config).ToDictionary(s => s.Name, s => Find(s.Name), StringComparer.Ordinal);
    }

    /// <summary>Whether a checkpoint has every tensor that its config.json calls for, in the right shape; reads headers only.</summary>
    /// <exception cref="TemperException">One is missing or has another shape.</exception>
    public static void CheckHeaders(string folder, ModelConfig config, ShardedSafeTensors file)
    {
        var names = Names(config, file);
        foreach (var (name, shape) in ModelFactory.Shapes(config))
        {
            if (!file.TryGet(names[name], out var info))
            {
                throw new TemperException($"{folder}: tensor {name}: found nothing, expected shape [{string.Join(", ", shape)}]");
            }

            if (!info.Shape.SequenceEqual(shape))
            {
                throw new TemperException($"{folder}: tensor {name}: found shape [{string.Join(", ", info.Shape)}], expected [{string.Join(", ", shape)}] from config.json");
            }
        }
    }

    /// <summary>The same, and nothing beyond it.</summary>
    internal static void Check(string folder, ModelConfig config, ShardedSafeTensors file)
    {
        CheckHeaders(folder, config, file);
        var (shapes, names) = (ModelFactory.Shapes(config), Names(config, file));
        var known = names.Values.ToHashSet(StringComparer.Ordinal);
        var buffers = Family.Of(config).Buffers;
        foreach (var stranger in file.Tensors.Where(t => !known.Contains(t.Name) && !Array.Exists(buffers, b => t.Name.EndsWith($".{b}", StringComparison.Ordinal))))
        {
            // a head that config.json ties is the embedding: transformers reads neither its tensor nor notices a different one
            var tied = config.TieWordEmbeddings && stranger.Name is "lm_head.weight" or "embed_out.weight";
            if (!tied || !stranger.Shape.SequenceEqual(shapes[0].Shape) || !Floats(file, stranger.Name, shapes[0].Shape).SequenceEqual(Floats(file, names[shapes[0].Name], shapes[0].Shape)))
            {
                throw new TemperException($"{folder}: tensor {stranger.Name}: found, expected {(tied ? "the token embedding again, as config.json ties them" : "no tensor of that name for the architecture of config.json")}");
            }
        }
    }

    private static float[] Floats(ShardedSafeTensors file, string name, long[] shape)
    {
        var values = new float[shape[0] * shape[1]];
        file.ReadFloats(name, values);
        return values;
    }
}
