using System.Numerics;
using System.Runtime.Intrinsics;

namespace Temper.Scan.Data;

/// <summary>
/// Signatures of one permutation in 64 bins (Li, Owen, Zhang 2012; empty bins take their neighbor's value, Shrivastava and Li 2014) over triples of words:
/// the share of bins that two rows have in common estimates the Jaccard similarity of their triples. Of each bin eight bits are kept (b-bit minwise hashing,
/// Li and König 2010): a quarter of the memory of whole hashes, for one bin in 256 that agrees by chance.
/// </summary>
internal static class MinHash
{
    public const int Bins = 64;
    private const int Fewest = 6;

    /// <summary>The signature; null for a text of too few words to be similar to anything.</summary>
    public static byte[]? Signature(List<Word> words)
    {
        if (words.Count < Fewest)
        {
            return null;
        }

        Span<uint> least = stackalloc uint[Bins];
        least.Fill(uint.MaxValue);
        for (var i = 2; i < words.Count; i++)
        {
            var hash = Words.Mix(Words.Mix(words[i - 2].Hash, words[i - 1].Hash), words[i].Hash);
            var (bin, value) = ((int)(hash >> 58), (uint)hash);
            least[bin] = Math.Min(least[bin], value);
        }

        // Walked backwards and around, so that the next bin with a value is known at every empty one.
        var signature = new byte[Bins];
        var from = 0;
        while (least[from] == uint.MaxValue && from < Bins - 1)
        {
            from++;
        }

        from += Bins;
        for (var i = Bins - 1; i >= 0; i--)
        {
            from = least[i] == uint.MaxValue ? from : i;
            signature[i] = (byte)(Words.Mix(least[from % Bins], (ulong)(from - i)) >> 40);
        }

        return signature;
    }

    /// <summary>The share of bins in common.</summary>
    public static double Similarity(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var same = 0;
        for (var i = 0; i < Bins; i += Vector128<byte>.Count)
        {
            same += BitOperations.PopCount(Vector128.Equals(Vector128.Create(a[i..]), Vector128.Create(b[i..])).ExtractMostSignificantBits());
        }

        return (double)same / Bins;
    }
}
