using System.Numerics;
using System.Runtime.InteropServices;
using Temper.Formats.Bytes;
using Temper.Formats.SafeTensors;
using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>Streams over the values of every tensor once: not finite, constant, and files hidden in the low bits.</summary>
internal static class TensorStatistics
{
    private const int Payload = 64;

    public static void Judge(Draft draft, Artifact artifact, IReadOnlyList<InspectedTensor> tensors)
    {
        var (broken, constant) = (new List<string>(), new List<string>());
        foreach (var tensor in tensors)
        {
            var (width, exponent) = tensor.Type switch { "F32" => (4, 0x7F80_0000u), "F16" => (2, 0x7C00u), "BF16" => (2, 0x7F80u), _ => (0, 0u) };
            if (width == 0 || tensor.Length < width || tensor.Offset + tensor.Length > artifact.Bytes.Length)
            {
                continue;
            }

            var notFinite = 0L;
            var same = true;
            var first = artifact.Bytes.Span(tensor.Offset, width).ToArray();
            foreach (var bytes in artifact.Bytes.Part(tensor.Offset, tensor.Length).Chunks(artifact.Cancellation))
            {
                notFinite += width == 4 ? Count(MemoryMarshal.Cast<byte, uint>(bytes), exponent, MemoryMarshal.Read<uint>(first), ref same)
                    : Count(MemoryMarshal.Cast<byte, ushort>(bytes), (ushort)exponent, MemoryMarshal.Read<ushort>(first), ref same);
            }

            if (notFinite > 0)
            {
                broken.Add($"{tensor.Name} ({notFinite})");
            }
            else if (same && tensor.Length > width)
            {
                constant.Add(tensor.Name);
            }

            if (Hidden(artifact.Bytes.Span(tensor.Offset, (int)Math.Min(tensor.Length, Payload * 8 * width)), width) is { } file)
            {
                draft.Add(TensorCards.LowBits.At($"{draft.Path}#{tensor.Name}", $"The low bits begin like {file}.", tensor.Name));
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

    // Steganography writes a payload's bits into the lowest bits of the mantissa, one to eight per number, in either order.
    private static string? Hidden(ReadOnlySpan<byte> values, int width)
    {
        Span<byte> payload = stackalloc byte[8];
        foreach (var bits in (ReadOnlySpan<int>)[1, 2, 4, 8])
        {
            if (values.Length / width < payload.Length * 8 / bits || (width == 2 && bits == 8))
            {
                continue;
            }

            foreach (var lowFirst in (ReadOnlySpan<bool>)[true, false])
            {
                payload.Clear();
                for (var bit = 0; bit < payload.Length * 8; bit++)
                {
                    var within = lowFirst ? bit % bits : bits - 1 - (bit % bits);
                    var value = (values[bit / bits * width] >> within) & 1;
                    payload[bit / 8] |= (byte)(value << (lowFirst ? bit % 8 : 7 - (bit % 8)));
                }

                if (Magic(payload) is { } file)
                {
                    return file;
                }
            }
        }

        return null;
    }

    private static string? Magic(ReadOnlySpan<byte> head) => head switch
    {
        [(byte)'P', (byte)'K', 3, 4, ..] => "a zip archive",
        [0x7f, (byte)'E', (byte)'L', (byte)'F', ..] => "an ELF program",
        [(byte)'M', (byte)'Z', 0x90, 0, ..] => "a Windows program",
        [0x1f, 0x8b, 8, 0 or 8, 0, ..] => "a gzip stream",
        [(byte)'7', (byte)'z', 0xbc, 0xaf, ..] or [(byte)'R', (byte)'a', (byte)'r', (byte)'!', ..] => "an archive",
        [(byte)'#', (byte)'!', (byte)'/', ..] => "a script",
        [0x80, 4 or 5, 0x95, _, _, 0 or 1, 0, 0] => "a pickle",
        _ => null,
    };
}
