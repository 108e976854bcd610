using System.Numerics;
using System.Runtime.InteropServices;

namespace Temper.Formats.SafeTensors;

/// <summary>Elements of a file as floats, and back.</summary>
public static class FloatConversion
{
    /// <summary>Fills the destination from as many little-endian elements; false where the type holds no plain floats.</summary>
    public static bool TryWiden(TensorType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        switch (type)
        {
            case TensorType.F32:
                source.CopyTo(MemoryMarshal.AsBytes(destination));
                return true;
            case TensorType.F16:
                WidenHalf(MemoryMarshal.Cast<byte, ushort>(source), destination);
                return true;
            case TensorType.BF16:
                WidenBrain(MemoryMarshal.Cast<byte, ushort>(source), destination);
                return true;
            case TensorType.F64:
                var doubles = MemoryMarshal.Cast<byte, double>(source);
                for (var i = 0; i < doubles.Length; i++)
                {
                    destination[i] = (float)doubles[i];
                }

                return true;
            default:
                return false;
        }
    }

    /// <summary>The nearest BF16, ties to even.</summary>
    public static ushort ToBrainFloat(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        // Rounding could carry a NaN's payload into infinity, so a NaN keeps its top bits and becomes quiet.
        return float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private static void WidenBrain(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        var i = 0;
        for (; i <= source.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(Load(source, i), out var low, out var high);
            Vector.AsVectorSingle(low << 16).CopyTo(destination[i..]);
            Vector.AsVectorSingle(high << 16).CopyTo(destination[(i + Vector<uint>.Count)..]);
        }

        for (; i < source.Length; i++)
        {
            destination[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
        }
    }

    private static void WidenHalf(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        var i = 0;
        for (; i <= source.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(Load(source, i), out var low, out var high);
            WidenHalf(low).CopyTo(destination[i..]);
            WidenHalf(high).CopyTo(destination[(i + Vector<uint>.Count)..]);
        }

        for (; i < source.Length; i++)
        {
            destination[i] = (float)BitConverter.UInt16BitsToHalf(source[i]);
        }
    }

    // With exponent and mantissa moved into a float's places, multiplying by 2^112 corrects the bias of normal and subnormal values alike.
    private static Vector<float> WidenHalf(Vector<uint> half)
    {
        var magnitude = (half & new Vector<uint>(0x7FFF)) << 13;
        var finite = Vector.AsVectorUInt32(Vector.AsVectorSingle(magnitude) * new Vector<float>(BitConverter.UInt32BitsToSingle((127 + 112) << 23)));
        var special = Vector.GreaterThanOrEqual(magnitude, new Vector<uint>(0x7C00u << 13));
        var bits = Vector.ConditionalSelect(special, magnitude | new Vector<uint>(0x7F800000), finite);
        return Vector.AsVectorSingle(bits | ((half & new Vector<uint>(0x8000)) << 16));
    }

    private static Vector<ushort> Load(ReadOnlySpan<ushort> source, int index) =>
        Vector.LoadUnsafe(ref MemoryMarshal.GetReference(source), (nuint)index);
}
