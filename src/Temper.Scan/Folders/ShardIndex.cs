using Temper.Formats.Bytes;
using Temper.Formats.Containers;
using Temper.Formats.Json;
using Temper.Formats.SafeTensors;
using Temper.Scan.Rules;

namespace Temper.Scan.Folders;

/// <summary>Does the index of shards tell the truth about the shards?</summary>
internal static class ShardIndex
{
    private const int MaxFindings = 20;

    public static IEnumerable<FolderFinding> Find(ModelFolder folder) => folder.Names.Where(n => n.EndsWith(".index.json", StringComparison.Ordinal)).SelectMany(n => Index(folder, n).Take(MaxFindings));

    private static IEnumerable<FolderFinding> Index(ModelFolder folder, string name)
    {
        if (folder.Json(name) is not { } index || index["weight_map"] is not { } map)
        {
            yield break;
        }

        FolderFinding At(string message, string evidence = "") => new(name, TensorCards.Shards.At($"{folder.File(name)}#$.weight_map", message, evidence));
        var shards = map.Members.GroupBy(m => m.Value.String ?? "", StringComparer.Ordinal).ToArray();
        var total = 0L;
        var complete = true;
        var told = map.Members.Select(m => m.Key).ToHashSet(StringComparer.Ordinal);
        foreach (var shard in shards)
        {
            if (shard.Key.Length == 0 || ArchiveNames.Escapes(shard.Key) || shard.Key.Contains('/', StringComparison.Ordinal) || shard.Key.Contains('\\', StringComparison.Ordinal))
            {
                complete = false;
                yield return At("A shard lies outside the folder.", shard.Key);
                continue;
            }

            if (!folder.Has(shard.Key))
            {
                complete = false;
                yield return At("A shard is missing.", shard.Key);
                continue;
            }

            if (Tensors(folder.File(shard.Key)) is not { } tensors)
            {
                complete = false;
                continue;
            }

            total += tensors.Values.Sum();
            foreach (var tensor in shard.Where(t => !tensors.ContainsKey(t.Key)).Take(3))
            {
                yield return At($"The shard {shard.Key} does not hold the tensor.", tensor.Key);
            }

            foreach (var stray in tensors.Keys.Where(t => !told.Contains(t)).Take(3))
            {
                yield return At($"The shard {shard.Key} holds a tensor that the index does not name.", stray);
            }
        }

        foreach (var tensor in map.Duplicates().Take(3))
        {
            yield return At("A tensor is in two shards.", tensor);
        }

        if (complete && index["metadata"]?["total_size"]?.Integer is { } size && size != total && shards.Length > 0)
        {
            yield return At($"total_size is {size}, the tensors have {total} bytes.");
        }
    }

    private static Dictionary<string, long>? Tensors(string path)
    {
        using var bytes = ByteSource.Open(path);
        if (!SafeTensorsInspector.Recognize(bytes))
        {
            return null;
        }

        var result = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var tensor in SafeTensorsInspector.Inspect(bytes, CancellationToken.None).Tensors)
        {
            result[tensor.Name] = tensor.Length;
        }

        return result;
    }
}
