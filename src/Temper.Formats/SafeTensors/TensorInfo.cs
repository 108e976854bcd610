namespace Temper.Formats.SafeTensors;

/// <summary>Element types of the safetensors format.</summary>
public enum TensorType { Bool, U8, I8, F8E4M3, F8E5M2, I16, U16, F16, BF16, I32, U32, F32, I64, U64, F64 }

/// <summary>One tensor of a file.</summary>
/// <param name="Offset">Bytes from the start of the file.</param>
public sealed record TensorInfo(string Name, TensorType Type, IReadOnlyList<long> Shape, long Offset, long Length)
{
    public long ElementCount => Shape.Aggregate(1L, (a, b) => a * b);
}

internal static class TensorTypes
{
    private static readonly (TensorType Type, string Name, int Size)[] All =
    [
        (TensorType.Bool, "BOOL", 1), (TensorType.U8, "U8", 1), (TensorType.I8, "I8", 1), (TensorType.F8E4M3, "F8_E4M3", 1), (TensorType.F8E5M2, "F8_E5M2", 1),
        (TensorType.I16, "I16", 2), (TensorType.U16, "U16", 2), (TensorType.F16, "F16", 2), (TensorType.BF16, "BF16", 2),
        (TensorType.I32, "I32", 4), (TensorType.U32, "U32", 4), (TensorType.F32, "F32", 4),
        (TensorType.I64, "I64", 8), (TensorType.U64, "U64", 8), (TensorType.F64, "F64", 8),
    ];

    public static int Size(TensorType type) => All[(int)type].Size;

    public static string Name(TensorType type) => All[(int)type].Name;

    public static TensorType? Parse(string name)
    {
        var at = Array.FindIndex(All, t => t.Name == name);
        return at < 0 ? null : All[at].Type;
    }
}
