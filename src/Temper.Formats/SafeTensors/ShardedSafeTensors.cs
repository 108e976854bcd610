using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Temper.Core;

namespace Temper.Formats.SafeTensors;

/// <summary>The weights of a checkpoint folder: one <c>model.safetensors</c>, or the shards that its index names.</summary>
public sealed class ShardedSafeTensors : IDisposable
{
    private const string SingleName = "model.safetensors";
    private const string IndexName = "model.safetensors.index.json";
    private const string MapName = "weight_map";
    private readonly Dictionary<string, (SafeTensorsFile File, TensorInfo Tensor)> _byName = new(StringComparer.Ordinal);
    private readonly List<SafeTensorsFile> _shards = [];

    private ShardedSafeTensors() { }

    /// <summary>All tensors of all shards, by shard name and then in file order; loaders take unmapped ones too.</summary>
    public IReadOnlyList<TensorInfo> Tensors { get; private set; } = [];

    public IReadOnlyList<SafeTensorsFile> Shards => _shards;

    /// <summary>Prefers the single file where both it and an index exist, as transformers does.</summary>
    public static ShardedSafeTensors Open(string folder)
    {
        var opened = new ShardedSafeTensors();
        try
        {
            var single = Path.Combine(folder, SingleName);
            var index = Path.Combine(folder, IndexName);
            if (File.Exists(single))
            {
                opened.Add(SafeTensorsFile.Open(single), map: null, index);
            }
            else if (File.Exists(index))
            {
                opened.AddShards(folder, index);
            }
            else
            {
                throw Defect.At(folder, "checkpoint", "no weights", $"{SingleName} or {IndexName}");
            }

            opened.Tensors = [.. opened._byName.Values.Select(v => v.Tensor)];
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    public bool TryGet(string name, [NotNullWhen(true)] out TensorInfo? tensor)
    {
        var found = _byName.TryGetValue(name, out var entry);
        tensor = entry.Tensor;
        return found;
    }

    public ReadOnlySpan<byte> Bytes(string name)
    {
        var (file, tensor) = Find(name);
        return file.Bytes(tensor);
    }

    public void ReadFloats(string name, Span<float> destination)
    {
        var (file, tensor) = Find(name);
        file.ReadFloats(tensor, destination);
    }

    public void Dispose() => _shards.ForEach(s => s.Dispose());

    private (SafeTensorsFile File, TensorInfo Tensor) Find(string name) =>
        _byName.TryGetValue(name, out var entry)
            ? entry
            : throw new TemperException($"checkpoint of {_shards.Count} safetensors files: found no tensor {Defect.Quote(name)}, expected one");

    private void Add(SafeTensorsFile shard, Dictionary<string, string>? map, string index)
    {
        _shards.Add(shard);
        var file = Path.GetFileName(shard.Path);
        foreach (var tensor in shard.Tensors)
        {
            if (!_byName.TryAdd(tensor.Name, (shard, tensor)))
            {
                throw Defect.At(shard.Path, $"tensor {Defect.Quote(tensor.Name)}", "the name in two shards", "each name in one");
            }
        }

        foreach (var (name, _) in map?.Where(entry => entry.Value == file && !shard.TryGet(entry.Key, out _)) ?? [])
        {
            throw Defect.At(index, $"{MapName} {Defect.Quote(name)}", $"no such tensor in {Defect.Quote(file)}", "every mapped tensor in its shard");
        }
    }

    private void AddShards(string folder, string index)
    {
        var map = ReadMap(index);
        foreach (var file in map.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            Add(SafeTensorsFile.Open(Path.Combine(folder, file)), map, index);
        }
    }

    private static Dictionary<string, string> ReadMap(string index)
    {
        var reader = new StrictJson(index, ReadAll(index), maxDepth: 16);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        Dictionary<string, string>? map = null;
        reader.Expect(JsonTokenType.StartObject, "index", "a JSON object");
        while (reader.NextProperty("index", out var key))
        {
            if (!seen.Add(key))
            {
                throw Defect.At(index, "index", $"the key {Defect.Quote(key)} twice", "each key once");
            }

            if (key == MapName)
            {
                map = ReadEntries(index, ref reader);
            }
            else
            {
                reader.Skip($"field {Defect.Quote(key)}");
            }
        }

        reader.End("index");
        return map ?? throw Defect.At(index, "index", $"no {MapName}", "one");
    }

    private static Dictionary<string, string> ReadEntries(string index, ref StrictJson reader)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        var files = new HashSet<string>(StringComparer.Ordinal);
        reader.Expect(JsonTokenType.StartObject, MapName, "an object from tensor to shard");
        while (reader.NextProperty(MapName, out var name))
        {
            var place = $"{MapName} {Defect.Quote(name)}";
            var file = reader.String(place, "the name of a shard");
            if (!files.Contains(file) && !IsPlainName(file))
            {
                throw Defect.At(index, place, Defect.Quote(file), "the plain name of a .safetensors file in the same folder");
            }

            files.Add(file);
            if (!map.TryAdd(name, file))
            {
                throw Defect.At(index, MapName, $"the key {Defect.Quote(name)} twice", "each key once");
            }
        }

        return map;
    }

    // The separators of every platform, whatever this one's are: an index must not mean different files on different machines.
    private static bool IsPlainName(string file) =>
        file.EndsWith(".safetensors", StringComparison.Ordinal) && file.AsSpan().IndexOfAny("/\\:") < 0 && !file.Any(char.IsControl);

    private static byte[] ReadAll(string index)
    {
        try
        {
            using var stream = File.OpenRead(index);
            if (stream.Length > SafeTensorsHeader.MaxLength)
            {
                throw Defect.At(index, "file", $"{stream.Length} bytes", $"at most {SafeTensorsHeader.MaxLength}");
            }

            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"{index}: found no readable file ({e.Message}), expected a safetensors index", e);
        }
    }
}
