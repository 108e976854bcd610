using System.Numerics;
using System.Runtime.InteropServices;
using Temper.Formats.SafeTensors;
using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>Streams over the values of every tensor once: not finite, constant, far from its like in other layers, and files or text hidden in the low bits.</summary>
internal static class TensorStatistics
{
    private const int LeastAlike = 4;
    private const double FarFromAlike = 30;

    public static void Judge(Draft draft, Artifact artifact, IReadOnlyList<InspectedTensor> tensors)
    {
        var (broken, constant, norms) = (new List<string>(), new List<string>(), new List<(string Name, double Norm)>());
        foreach (var tensor in tensors)
        {
            if (Element(tensor.Type) is not { } element || tensor.Length < element.Size() || tensor.Offset + tensor.Length > artifact.Bytes.Length)
            {
                continue;
            }

            var values = Stream(artifact, tensor, element);
            if (values.NotFinite > 0)
            {
                broken.Add($"{tensor.Name} ({values.NotFinite})");
            }
            else if (values.Same && tensor.Length > element.Size())
            {
                constant.Add(tensor.Name);
            }
            else
            {
                norms.Add((tensor.Name, Math.Sqrt(values.Squares / (tensor.Length / element.Size()))));
            }

            if (values.Bits.Found is { } found)
            {
                draft.Add(TensorCards.LowBits.At($"{draft.Path}#{tensor.Name}", found, tensor.Name));
            }

            if (values.Bits.Patches is { } patches)
            {
                draft.Add(TensorCards.Statistics.At($"{draft.Path}#{tensor.Name}", patches, tensor.Name));
            }
        }

        if (broken.Count > 0)
        {
            draft.Add(TensorCards.NotFinite, $"{broken.Count} tensor(s) hold NaN or infinity.", string.Join(", ", broken.Take(5)));
        }

        if (constant.Count > 0)
        {
            draft.Add(TensorCards.Statistics, $"{constant.Count} of {tensors.Count} tensors are constant.", string.Join(", ", constant.Take(5)));
        }

        Outliers(draft, norms);
    }

    // Layers of one model have much the same norms; one that was edited by hand, or scaled up to drown the others, has not.
    private static void Outliers(Draft draft, List<(string Name, double Norm)> norms)
    {
        foreach (var alike in norms.GroupBy(n => Kind(n.Name), StringComparer.Ordinal))
        {
            var sorted = alike.Select(a => a.Norm).Order().ToArray();
            var median = sorted[sorted.Length / 2];
            foreach (var (name, norm) in alike.Where(a => sorted.Length >= LeastAlike && a.Norm > 0 && (a.Norm > FarFromAlike * median || a.Norm * FarFromAlike < median)))
            {
                draft.Add(TensorCards.Statistics.At($"{draft.Path}#{name}", FormattableString.Invariant($"The root mean square is {norm:g3}, the median of the {sorted.Length} tensors of its kind {median:g3}."), name));
            }
        }
    }

    private static (long NotFinite, bool Same, double Squares, LowBits Bits) Stream(Artifact artifact, InspectedTensor tensor, TensorType element)
    {
        var bits = new LowBits(element);
        var (notFinite, same, squares) = (0L, true, 0.0);
        var first = artifact.Bytes.Span(tensor.Offset, element.Size()).ToArray();
        foreach (var bytes in artifact.Bytes.Part(tensor.Offset, tensor.Length).Chunks(artifact.Cancellation))
        {
            notFinite += element == TensorType.F32 ? Count(MemoryMarshal.Cast<byte, uint>(bytes), 0x7F80_0000u, MemoryMarshal.Read<uint>(first), ref same)
                : Count(MemoryMarshal.Cast<byte, ushort>(bytes), element == TensorType.F16 ? (ushort)0x7C00 : (ushort)0x7F80, MemoryMarshal.Read<ushort>(first), ref same);
            squares += Squares(element, bytes);
        }

        foreach (var at in LowBits.Places(tensor.Length))
        {
            bits.Look(artifact.Bytes.Span(tensor.Offset + at, (int)Math.Min(LowBits.Bytes, tensor.Length - at)));
        }

        return (notFinite, same, squares, bits);
    }

    private static TensorType? Element(string type) => type switch { "F32" => TensorType.F32, "F16" => TensorType.F16, "BF16" => TensorType.BF16, _ => null };

    private static double Squares(TensorType element, ReadOnlySpan<byte> bytes)
    {
        if (element == TensorType.F16)
        {
            var floats = new float[bytes.Length / 2];
            FloatConversion.TryWiden(element, bytes[..(floats.Length * 2)], floats);
            bytes = MemoryMarshal.AsBytes(floats.AsSpan());
        }

        // Two BF16 are the upper and the lower half of an integer; either becomes a float with the other half zeroed.
        var words = MemoryMarshal.Cast<byte, uint>(bytes);
        var halves = element == TensorType.BF16;
        var upper = new Vector<uint>(halves ? 0xFFFF_0000 : uint.MaxValue);
        var (a, b, i) = (Vector<float>.Zero, Vector<float>.Zero, 0);
        for (; i <= words.Length - Vector<uint>.Count; i += Vector<uint>.Count)
        {
            var v = new Vector<uint>(words[i..]);
            var high = Vector.AsVectorSingle(v & upper);
            a += high * high;
            if (halves)
            {
                var low = Vector.AsVectorSingle(v << 16);
                b += low * low;
            }
        }

        double sum = Vector.Sum(a) + Vector.Sum(b);
        foreach (var word in words[i..])
        {
            var (high, low) = (BitConverter.UInt32BitsToSingle(halves ? word & 0xFFFF_0000 : word), halves ? BitConverter.UInt32BitsToSingle(word << 16) : 0);
            sum += (high * high) + (low * low);
        }

        if (halves && bytes.Length % 4 == 2)
        {
            var last = BitConverter.UInt32BitsToSingle((uint)MemoryMarshal.Read<ushort>(bytes[^2..]) << 16);
            sum += last * last;
        }

        return sum;
    }

    // The exponent is all ones exactly where the number is NaN or infinite.
    private static long Count<T>(ReadOnlySpan<T> values, T exponent, T first, ref bool same)
        where T : unmanaged, IBinaryInteger<T>
    {
        var count = 0L;
        var different = Vector<T>.Zero;
        var (mask, start) = (new Vector<T>(exponent), new Vector<T>(first));
        var i = 0;
        for (; i <= values.Length - Vector<T>.Count; i += Vector<T>.Count)
        {
            var v = new Vector<T>(values[i..]);
            different |= v ^ start;
            if (Vector.EqualsAny(v & mask, mask))
            {
                count += CountScalar(values.Slice(i, Vector<T>.Count), exponent);
            }
        }

        foreach (var value in values[i..])
        {
            same &= value == first;
        }

        same &= different == Vector<T>.Zero;
        return count + CountScalar(values[i..], exponent);
    }

    private static long CountScalar<T>(ReadOnlySpan<T> values, T exponent)
        where T : unmanaged, IBinaryInteger<T>
    {
        var count = 0L;
        foreach (var value in values)
        {
            count += (value & exponent) == exponent ? 1 : 0;
        }

        return count;
    }

    // The name without its numbers, which say the layer.
    private static string Kind(string name) => string.Create(name.Length - name.Count(char.IsAsciiDigit), name, (kind, full) =>
    {
        var i = 0;
        foreach (var c in full)
        {
            if (!char.IsAsciiDigit(c))
            {
                kind[i++] = c;
            }
        }
    });
}
