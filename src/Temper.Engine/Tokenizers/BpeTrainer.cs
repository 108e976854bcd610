using System.Text;
using Temper.Core;

namespace Temper.Engine.Tokenizers;

/// <summary>Learns byte-level BPE: special tokens, then the 256 bytes, then the most frequent pairs.</summary>
public static class BpeTrainer
{
    /// <summary>At most <paramref name="vocabularySize"/> tokens: fewer where no pair is left that occurs twice. The same texts give the same tokenizer.</summary>
    public static Tokenizer Train(IEnumerable<string> texts, int vocabularySize, IReadOnlyList<string> specialTokens)
    {
        if (vocabularySize < 256 + specialTokens.Count)
        {
            throw new TemperException($"vocabulary size: found {vocabularySize}, expected at least {256 + specialTokens.Count}: the bytes and the special tokens");
        }

        var added = specialTokens.Select((t, i) => new AddedToken(i, t, Special: true)).ToList();
        var vocabulary = specialTokens.Select((t, i) => (t, i)).ToDictionary(p => p.t, p => p.i, StringComparer.Ordinal);
        List<string> tokens = [.. specialTokens, .. Enumerable.Range(0, 256).Select(b => ByteLevel.Letter((byte)b).ToString())];
        for (var b = 0; b < 256; b++)
        {
            vocabulary.Add(tokens[specialTokens.Count + b], specialTokens.Count + b);
        }

        var words = Words(texts, specialTokens.Count);
        Dictionary<(int, int), long> counts = [];
        Dictionary<(int, int), HashSet<int>> places = [];
        for (var w = 0; w < words.Count; w++)
        {
            Count(w, 1);
        }

        List<(string, string)> merges = [];
        while (tokens.Count < vocabularySize && Best() is var (left, right))
        {
            var token = tokens[left] + tokens[right];
            // text that spells a control token out must not become one
            if (vocabulary.TryGetValue(token, out var id) && id < specialTokens.Count)
            {
                counts.Remove((left, right));
                continue;
            }

            // two ways to build one text share its id
            if (vocabulary.TryAdd(token, tokens.Count))
            {
                id = tokens.Count;
                tokens.Add(token);
            }

            merges.Add((tokens[left], tokens[right]));
            foreach (var w in places[(left, right)].ToArray())
            {
                Count(w, -1);
                Apply(words[w].Ids, left, right, id);
                Count(w, 1);
            }
        }

        return new(vocabulary, merges, added);

        (int Left, int Right)? Best()
        {
            // ties go to the lower ids, so that the order of the dictionary does not matter
            var best = counts.Where(c => c.Value > 1).DefaultIfEmpty().MaxBy(c => (c.Value, -c.Key.Item1, -c.Key.Item2));
            return best.Value > 1 ? best.Key : null;
        }

        void Count(int w, int sign)
        {
            var (ids, times) = words[w];
            for (var i = 0; i + 1 < ids.Count; i++)
            {
                var pair = (ids[i], ids[i + 1]);
                if (!places.TryGetValue(pair, out var owners))
                {
                    places[pair] = owners = [];
                }

                _ = sign > 0 ? owners.Add(w) : owners.Remove(w);
                counts[pair] = counts.GetValueOrDefault(pair) + (sign * times);
            }
        }
    }

    private static List<(List<int> Ids, long Times)> Words(IEnumerable<string> texts, int offset) =>
        [.. texts.SelectMany(ByteLevel.Split).CountBy(w => w, StringComparer.Ordinal).OrderBy(w => w.Key, StringComparer.Ordinal)
            .Select(w => (Encoding.UTF8.GetBytes(w.Key).Select(b => b + offset).ToList(), (long)w.Value))];

    private static void Apply(List<int> ids, int left, int right, int merged)
    {
        for (var i = 0; i + 1 < ids.Count; i++)
        {
            if (ids[i] == left && ids[i + 1] == right)
            {
                ids[i] = merged;
                ids.RemoveAt(i + 1);
            }
        }
    }
}
