using Temper.Formats.Pickle;
using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>Whether the storages of a torch archive are as long as its pickle promises.</summary>
internal static class TorchStorages
{
    private const int MaxFindings = 20;

    /// <summary>Compares the persistent ids of the pickle <paramref name="name"/> with the members of the archive.</summary>
    public static void Judge(Draft draft, string name, IReadOnlyList<PickleStorage> storages, Dictionary<string, long> sizes)
    {
        var folder = name[..(name.LastIndexOf('/') + 1)];
        var wrong = storages.Where(s => Item(s.Type) is { } item && sizes.TryGetValue($"{folder}data/{s.Key}", out var length) && (Int128)s.Count * item != length).DistinctBy(s => s.Key);
        foreach (var storage in wrong.Take(MaxFindings))
        {
            var place = $"{folder}data/{storage.Key}";
            draft.Add(FileCards.TorchStorage.At($"{draft.Path}!{place}", $"The pickle promises {storage.Count} items of {storage.Type}, the archive holds {sizes[place]} bytes.", storage.Type));
        }
    }

    private static int? Item(string storage) => storage switch
    {
        "UntypedStorage" or "ByteStorage" or "CharStorage" or "BoolStorage" or "QInt8Storage" or "QUInt8Storage" => 1,
        "HalfStorage" or "BFloat16Storage" or "ShortStorage" => 2,
        "FloatStorage" or "IntStorage" or "QInt32Storage" => 4,
        "DoubleStorage" or "LongStorage" or "ComplexFloatStorage" => 8,
        "ComplexDoubleStorage" => 16,
        _ => null,
    };
}
