using System.Buffers.Binary;
using System.Globalization;
using Temper.Formats.SafeTensors;

namespace Temper.Scan.Artifacts;

/// <summary>
/// The lowest bits of a tensor's mantissas, where payloads are hidden, one to eight bits per number. In trained numbers they are coin throws, in
/// numbers that were widened from a shorter type all zero; what is neither was written there. A payload that is encrypted looks like coin throws.
/// </summary>
internal sealed class LowBits(TensorType element)
{
    /// <summary>Bytes to look at in one place.</summary>
    public const int Bytes = 4 * Sample;

    private const long Step = 1 << 18; // a multiple of eight numbers of any width
    private const int Sample = 2048;
    private const int Payload = 64;
    private const int Least = 1024;
    private const int Phases = 8;
    private const int Planes = 4;
    private readonly int _width = element.Size();
    private long _places;
    private long _empty;
    private long _random;

    /// <summary>What lies in the low bits; null for nothing that shows.</summary>
    public string? Found { get; private set; }

    /// <summary>That some places have empty low bits and others random ones: numbers of two kinds in one tensor; null where they have not.</summary>
    public string? Patches => _empty == 0 || _random == 0 ? null
        : string.Create(CultureInfo.InvariantCulture, $"The low bits are empty (entropy 0) in {_empty} of {_places} places and random (entropy 1 bit) in {_random}: numbers of two kinds.");

    /// <summary>Where to look in a tensor of so many bytes: often in its first megabyte, where payloads begin, and then here and there.</summary>
    public static IEnumerable<long> Places(long length)
    {
        for (long at = 0; at < length; at += at < 4 * Step ? Step : 8 * Step)
        {
            yield return at;
        }
    }

    /// <summary>Takes the values from one of those places on.</summary>
    public void Look(ReadOnlySpan<byte> chunk)
    {
        if (_places++ == 0 && Hidden(chunk[..Math.Min(chunk.Length, Payload * 8 * _width)]) is { } file)
        {
            Found = $"The low bits begin like {file}.";
        }

        // Of the lowest bit, and of the second, fourth and eighth lowest, how often it is set in every first, second, … eighth number; zeros are left out, since padding is common.
        Span<int> seen = stackalloc int[Phases];
        Span<int> ones = stackalloc int[Planes * Phases];
        seen.Clear();
        ones.Clear();
        var count = Math.Min(Sample, chunk.Length / _width);
        var any = 0u;
        for (var i = 0; i < count; i++)
        {
            var value = _width == 4 ? BinaryPrimitives.ReadUInt32LittleEndian(chunk[(i * 4)..]) & 0x7FFF_FFFF : BinaryPrimitives.ReadUInt16LittleEndian(chunk[(i * 2)..]) & 0x7FFFu;
            if (value == 0)
            {
                continue;
            }

            seen[i % Phases]++;
            any |= value & 0xF;
            for (var plane = 0; plane < Planes; plane++)
            {
                ones[(plane * Phases) + (i % Phases)] += (int)(value >> ((1 << plane) - 1)) & 1;
            }
        }

        if (Sum(seen, 0, 1) < Least)
        {
            return;
        }

        var random = IsRandom(Sum(ones[..Phases], 0, 1), Sum(seen, 0, 1));
        _empty += any == 0 ? 1 : 0;
        _random += random ? 1 : 0;
        Found ??= random && Text(seen, ones) is { } bits ? $"The lowest {(bits == 1 ? "bit" : $"{bits} bits")} of the numbers spell bytes below 128 only, as text does." : null;
    }

    // With a byte spread over 8 / n numbers its highest bit comes round in the n-th lowest bit of every (8 / n)-th number; in text it is never set.
    private int? Text(ReadOnlySpan<int> seen, ReadOnlySpan<int> ones)
    {
        for (var p = 0; p < Planes; p++)
        {
            var (bits, period) = (1 << p, Phases >> p);
            var plane = ones.Slice(p * Phases, Phases);
            for (var phase = 0; phase < period && (bits < 8 || _width == 4); phase++)
            {
                var (here, all) = (Sum(plane, phase, period), Sum(plane, 0, 1));
                if (here == 0 && Sum(seen, phase, period) >= Least / Phases / 2 && (period == 1 || IsRandom(all, Sum(seen, 0, 1) - Sum(seen, phase, period))))
                {
                    return bits;
                }
            }
        }

        return null;
    }

    private static int Sum(ReadOnlySpan<int> counts, int phase, int period)
    {
        var sum = 0;
        for (var i = phase; i < counts.Length; i += period)
        {
            sum += counts[i];
        }

        return sum;
    }

    private static bool IsRandom(int ones, int count) => ones * 4 > count && ones * 4 < count * 3;

    // Steganography writes a payload's bits into the lowest bits of the mantissa, one to eight per number, in either order.
    private string? Hidden(ReadOnlySpan<byte> values)
    {
        Span<byte> payload = stackalloc byte[8];
        foreach (var bits in (ReadOnlySpan<int>)[1, 2, 4, 8])
        {
            if (values.Length / _width < payload.Length * 8 / bits || (_width == 2 && bits == 8))
            {
                continue;
            }

            foreach (var lowFirst in (ReadOnlySpan<bool>)[true, false])
            {
                payload.Clear();
                for (var bit = 0; bit < payload.Length * 8; bit++)
                {
                    var within = lowFirst ? bit % bits : bits - 1 - (bit % bits);
                    var value = (values[bit / bits * _width] >> within) & 1;
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
