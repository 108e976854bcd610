namespace Temper.Scan.Data;

/// <summary>A word of a text: where it stands, and a hash that ignores case and the punctuation around it.</summary>
internal readonly record struct Word(int Start, int Length, ulong Hash);

/// <summary>Cuts text into words and their n-grams into hashes; allocates nothing but the list.</summary>
internal static class Words
{
    /// <summary>The most words of a text that are looked at.</summary>
    public const int Most = 1024;
    private const ulong Prime = 0x9E3779B97F4A7C15;

    public static void Cut(ReadOnlySpan<char> text, List<Word> words, int most = Most)
    {
        words.Clear();
        var at = 0;
        while (at < text.Length && words.Count < most)
        {
            while (at < text.Length && IsWhite(text[at]))
            {
                at++;
            }

            var start = at;
            while (at < text.Length && !IsWhite(text[at]))
            {
                at++;
            }

            if (at > start)
            {
                words.Add(One(text, start, at));
            }
        }
    }

    /// <summary>The hash of two hashes in order.</summary>
    public static ulong Mix(ulong a, ulong b)
    {
        var x = (a ^ ((b * Prime) + 0x7F4A7C15)) * Prime;
        return x ^ (x >> 29);
    }

    /// <summary>The hash of a whole text as its words, and how many they are.</summary>
    public static ulong Text(List<Word> words)
    {
        var hash = (ulong)words.Count;
        foreach (var word in words)
        {
            hash = Mix(hash, word.Hash);
        }

        return hash;
    }

    private static bool IsWhite(char c) => c <= ' ' || c == '\u00a0' || c == '\u3000';

    private static Word One(ReadOnlySpan<char> text, int start, int end)
    {
        var (first, last) = (start, end);
        while (first < last && !IsInner(text[first]))
        {
            first++;
        }

        while (last > first && !IsInner(text[last - 1]))
        {
            last--;
        }

        // A word of nothing but punctuation stands for itself.
        (first, last) = first == last ? (start, end) : (first, last);
        var hash = 14695981039346656037UL;
        for (var i = first; i < last; i++)
        {
            var c = text[i];
            hash = (hash ^ (c < 0x80 ? c is >= 'A' and <= 'Z' ? (uint)(c | 0x20) : c : char.ToLowerInvariant(c))) * 1099511628211UL;
        }

        return new(first, last - first, hash ^ (hash >> 32));
    }

    private static bool IsInner(char c) => c < 0x80 ? char.IsAsciiLetterOrDigit(c) : char.IsLetterOrDigit(c) || char.IsSurrogate(c);
}
