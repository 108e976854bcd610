using System.Numerics;

namespace Temper.Engine.Models;

/// <summary>The upper halves of fp32 numbers, as libtorch converts them.</summary>
internal static class BFloat16s
{
    public static void Widen(ReadOnlySpan<ushort> from, Span<float> to)
    {
        var done = 0;
        for (; done <= from.Length - Vector<ushort>.Count; done += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(from[done..]), out var low, out var high);
            (low << 16).As<uint, float>().CopyTo(to[done..]);
            (high << 16).As<uint, float>().CopyTo(to[(done + Vector<uint>.Count)..]);
        }

        for (; done < from.Length; done++)
        {
            to[done] = BitConverter.UInt32BitsToSingle((uint)from[done] << 16);
        }
    }

    /// <summary>To the nearest, ties to even; a number that is none stays none.</summary>
    public static void Narrow(ReadOnlySpan<float> from, Span<ushort> to)
    {
        var done = 0;
        for (; done <= from.Length - Vector<ushort>.Count; done += Vector<ushort>.Count)
        {
            Vector<float> low = new(from[done..]), high = new(from[(done + Vector<float>.Count)..]);
            Vector.Narrow(Round(low), Round(high)).CopyTo(to[done..]);
        }

        for (; done < from.Length; done++)
        {
            var bits = BitConverter.SingleToUInt32Bits(from[done]);
            to[done] = float.IsNaN(from[done]) ? (ushort)0x7FC0 : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
        }
    }

    private static Vector<uint> Round(Vector<float> values)
    {
        var bits = values.As<float, uint>();
        var rounded = (bits + new Vector<uint>(0x7FFF) + ((bits >> 16) & Vector<uint>.One)) >> 16;
        return Vector.ConditionalSelect(Vector.Equals(values, values).As<int, uint>(), rounded, new Vector<uint>(0x7FC0));
    }
}
