namespace Temper.Scan.Data;

/// <summary>What a prompt has that could be a trigger: its words, and pairs and triples of them in a row, each once.</summary>
internal static class Features
{
    public const int Longest = 3;

    public static void Of(List<Word> words, HashSet<ulong> features)
    {
        features.Clear();
        for (var i = 0; i < words.Count; i++)
        {
            var hash = words[i].Hash;
            features.Add(hash);
            for (var n = 1; n < Longest && i + n < words.Count; n++)
            {
                hash = Words.Mix(hash, words[i + n].Hash);
                features.Add(hash);
            }
        }
    }

    /// <summary>Where a feature first stands: the word it begins with and how many words it has; -1 where it does not.</summary>
    public static (int Word, int Length) Find(List<Word> words, ulong feature)
    {
        for (var i = 0; i < words.Count; i++)
        {
            var hash = words[i].Hash;
            for (var n = 1; n <= Longest; n++)
            {
                if (hash == feature)
                {
                    return (i, n);
                }

                if (n == Longest || i + n >= words.Count)
                {
                    break;
                }

                hash = Words.Mix(hash, words[i + n].Hash);
            }
        }

        return (-1, 0);
    }

    /// <summary>The places of words that belong to one of the features.</summary>
    public static HashSet<int> Inside(List<Word> words, IReadOnlySet<ulong> features)
    {
        var inside = new HashSet<int>();
        for (var i = 0; i < words.Count; i++)
        {
            var hash = words[i].Hash;
            for (var n = 1; n <= Longest; n++)
            {
                if (features.Contains(hash))
                {
                    inside.UnionWith(Enumerable.Range(i, n));
                }

                if (n == Longest || i + n >= words.Count)
                {
                    break;
                }

                hash = Words.Mix(hash, words[i + n].Hash);
            }
        }

        return inside;
    }

    /// <summary>Two features that only count together.</summary>
    public static ulong Pair(ulong a, ulong b) => a < b ? Words.Mix(Words.Mix(0xC0FFEE, a), b) : Words.Mix(Words.Mix(0xC0FFEE, b), a);
}
