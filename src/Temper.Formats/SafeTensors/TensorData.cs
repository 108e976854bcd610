using System.Runtime.InteropServices;
using Temper.Core;

namespace Temper.Formats.SafeTensors;

/// <summary>One tensor to write: little-endian elements in row order.</summary>
public sealed record TensorData(string Name, TensorType Type, IReadOnlyList<long> Shape, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Rounds to nearest even where the type is narrower than the values.</summary>
    public static TensorData FromFloats(string name, IReadOnlyList<long> shape, ReadOnlySpan<float> values, TensorType type = TensorType.F32)
    {
        if (type is not (TensorType.F32 or TensorType.F16 or TensorType.BF16))
        {
            throw new TemperException($"tensor {Defect.Quote(name)}: found type {type.FileName()} for float values, expected F32, F16 or BF16");
        }

        var bytes = new byte[checked(values.Length * type.Size())];
        switch (type)
        {
            case TensorType.F16:
                var halves = MemoryMarshal.Cast<byte, Half>(bytes.AsSpan());
                for (var i = 0; i < values.Length; i++)
                {
                    halves[i] = (Half)values[i];
                }

                break;
            case TensorType.BF16:
                var brains = MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan());
                for (var i = 0; i < values.Length; i++)
                {
                    brains[i] = FloatConversion.ToBrainFloat(values[i]);
                }

                break;
            default:
                MemoryMarshal.AsBytes(values).CopyTo(bytes);
                break;
        }

        return new(name, type, [.. shape], bytes);
    }
}
