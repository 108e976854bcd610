using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Temper.Core;

namespace Temper.Formats.SafeTensors;

/// <summary>The weights of a checkpoint folder: model.safetensors, or the shards that model.safetensors.index.json names.</summary>
public sealed class ShardedSafeTensors : IDisposable
{
    private readonly List<SafeTensorsFile> files = [];
    private readonly Dictionary<string, (SafeTensorsFile File, TensorInfo Tensor)> byName = new(StringComparer.Ordinal);

    private ShardedSafeTensors()
    {
    }

    public IEnumerable<TensorInfo> Tensors => files.SelectMany(f => f.Tensors);

    public static ShardedSafeTensors Open(string folder)
    {
        var index = Path.Combine(folder, "model.safetensors.index.json");
        var all = new ShardedSafeTensors();
        try
        {
            if (File.Exists(Path.Combine(folder, "model.safetensors")) || !File.Exists(index))
            {
                all.Add(SafeTensorsFile.Open(Path.Combine(folder, "model.safetensors")));
            }
            else
            {
                all.AddShards(folder, index);
            }

            return all;
        }
        catch
        {
            all.Dispose();
            throw;
        }
    }

    public bool TryGet(string name, [NotNullWhen(true)] out TensorInfo? tensor)
    {
        tensor = byName.TryGetValue(name, out var found) ? found.Tensor : null;
        return tensor is not null;
    }

    public void ReadFloats(string name, Span<float> destination)
    {
        var (file, tensor) = byName[name];
        file.ReadFloats(tensor, destination);
    }

    public void Dispose() => files.ForEach(f => f.Dispose());

    private void AddShards(string folder, string index)
    {
        var weightMap = ReadWeightMap(index);
        foreach (var shard in weightMap.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            if (shard.Length == 0 || shard != Path.GetFileName(shard) || shard.Contains('\\', StringComparison.Ordinal) || shard is "." or "..")
            {
                throw new TemperException($"{index}: weight_map: found shard \"{shard}\", expected a plain file name");
            }

            Add(SafeTensorsFile.Open(Path.Combine(folder, shard)));
        }

        foreach (var (name, shard) in weightMap)
        {
            if (!byName.TryGetValue(name, out var found) || Path.GetFileName(found.File.Path) != shard)
            {
                throw new TemperException($"{index}: weight_map: {name}: found no such tensor in {shard}, expected it there");
            }
        }
    }

    private static Dictionary<string, string> ReadWeightMap(string index)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(index), new() { MaxDepth = 8, AllowDuplicateProperties = false });
            return document.RootElement.GetProperty("weight_map").EnumerateObject()
                .ToDictionary(p => p.Name, p => p.Value.GetString() ?? "", StringComparer.Ordinal);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"{index}: expected an object with a weight_map of tensor names to file names: {e.Message}", e);
        }
    }

    private void Add(SafeTensorsFile file)
    {
        files.Add(file);
        foreach (var tensor in file.Tensors)
        {
            if (!byName.TryAdd(tensor.Name, (file, tensor)))
            {
                throw new TemperException($"{file.Path}: tensor {tensor.Name}: found in two shards, expected in one");
            }
        }
    }
}
