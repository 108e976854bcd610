namespace Temper.Formats.SafeTensors;

/// <summary>The element types of the safetensors format that Temper reads.</summary>
public enum TensorType { Bool, U8, I8, F8E4M3, F8E5M2, I16, U16, F16, BF16, I32, U32, F32, I64, U64, F64 }

/// <summary>Sizes and file names of the element types.</summary>
public static class TensorTypes
{
    /// <summary>Bytes per element.</summary>
    public static int Size(this TensorType type) => type switch
    {
        TensorType.Bool or TensorType.U8 or TensorType.I8 or TensorType.F8E4M3 or TensorType.F8E5M2 => 1,
        TensorType.I16 or TensorType.U16 or TensorType.F16 or TensorType.BF16 => 2,
        TensorType.I32 or TensorType.U32 or TensorType.F32 => 4,
        TensorType.I64 or TensorType.U64 or TensorType.F64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Unknown element type."),
    };

    /// <summary>The name in a file's header, such as <c>BF16</c> or <c>F8_E4M3</c>.</summary>
    public static string FileName(this TensorType type) => type switch
    {
        TensorType.Bool => "BOOL",
        TensorType.F8E4M3 => "F8_E4M3",
        TensorType.F8E5M2 => "F8_E5M2",
        _ => Enum.GetName(type) ?? throw new ArgumentOutOfRangeException(nameof(type), type, "Unknown element type."),
    };

    internal static TensorType? Parse(string name)
    {
        foreach (var type in Enum.GetValues<TensorType>())
        {
            if (type.FileName() == name)
            {
                return type;
            }
        }

        return null;
    }

    /// <summary>The bytes of a shape, or null where a dimension is negative or the product leaves 64 bits.</summary>
    internal static long? ByteCount(this TensorType type, IReadOnlyList<long> shape)
    {
        long count = type.Size();
        foreach (var dimension in shape)
        {
            if (dimension < 0)
            {
                return null;
            }

            var product = (Int128)count * dimension;
            if (product > long.MaxValue)
            {
                return null;
            }

            count = (long)product;
        }

        return count;
    }
}
