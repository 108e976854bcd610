namespace Temper.Scan.Data;

/// <summary>
/// Signatures of one permutation in 64 bins (Li, Owen, Zhang 2012; empty bins take their neighbor's value, Shrivastava and Li 2014) over triples of words:
/// the share of bins that two rows have in common estimates the Jaccard similarity of their triples.
/// </summary>
internal static class MinHash
{
    public const int Bins = 64;
    private const int Fewest = 6;

    /// <summary>The signature; null for a text of too few words to be similar to anything.</summary>
    public static ushort[]? Signature(List<Word> words)
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

        var signature = new ushort[Bins];
        for (var i = 0; i < Bins; i++)
        {
            var from = i;
            for (var step = 1; least[from] == uint.MaxValue && step < Bins; step++)
            {
                from = (i + step) % Bins;
            }

            signature[i] = (ushort)(Words.Mix(least[from], (ulong)((from - i + Bins) % Bins)) >> 40);
        }

        return signature;
    }

    /// <summary>The share of bins in common.</summary>
    public static double Similarity(ReadOnlySpan<ushort> a, ReadOnlySpan<ushort> b)
    {
        var same = 0;
        for (var i = 0; i < Bins; i++)
        {
            same += a[i] == b[i] ? 1 : 0;
        }

        return (double)same / Bins;
    }
}
