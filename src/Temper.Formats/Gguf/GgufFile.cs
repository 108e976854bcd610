namespace Temper.Formats.Gguf;

/// <summary>The types of GGUF values.</summary>
public enum GgufType { UInt8, Int8, UInt16, Int16, UInt32, Int32, Float32, Bool, String, Array, UInt64, Int64, Float64 }

/// <summary>One value: a number or text, or of an array the type and count of its items, which begin at <paramref name="Offset"/>.</summary>
public sealed record GgufValue(string Key, GgufType Type, long Offset, string Text, long Integer, GgufType ItemType, long Count);

/// <summary>One tensor; <paramref name="Length"/> is null for an element type whose size is not known.</summary>
public sealed record GgufTensor(string Name, IReadOnlyList<long> Shape, int Type, long DataOffset, long? Length, long Offset);

/// <summary>What is not as the format demands, at a byte of the file.</summary>
public sealed record GgufDefect(long Offset, string Place, string Found, string Expected);

/// <summary>All that a header says, as far as it could be read.</summary>
public sealed record GgufFile(int Version, IReadOnlyList<GgufValue> Values, IReadOnlyList<GgufTensor> Tensors, IReadOnlyList<GgufDefect> Defects)
{
    /// <summary>Where the data begins that tensors count from.</summary>
    public long DataStart { get; init; }

    /// <summary>The value under a key.</summary>
    public GgufValue? this[string key] => Values.FirstOrDefault(v => v.Key == key);
}
