using System.Text;

namespace Temper.Engine.Tokenizers;

/// <summary>A token that the model never finds by merging: a control token, if <see cref="Special"/>.</summary>
internal sealed record AddedToken(int Id, string Content, bool Special);

/// <summary>Byte-level BPE as in GPT-2, read from and written to tokenizer.json.</summary>
public sealed class Tokenizer
{
    private readonly IReadOnlyDictionary<string, int> _vocabulary;
    private readonly IReadOnlyList<(string Left, string Right)> _merges;
    private readonly AddedToken[] _added;
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<(int Left, int Right), (int Rank, int Id)> _pairs = [];
    private readonly int[] _byteIds = new int[256];
    private readonly byte[]?[] _bytes;
    private readonly HashSet<int> _special;
    private (double Rate, int Seed) _dropout;

    /// <summary>The caller has checked that every byte and every merge has its token.</summary>
    internal Tokenizer(IReadOnlyDictionary<string, int> vocabulary, IReadOnlyList<(string Left, string Right)> merges, IReadOnlyList<AddedToken> added)
    {
        (_vocabulary, _merges) = (vocabulary, merges);
        _added = [.. added.OrderByDescending(a => a.Content.Length).ThenBy(a => a.Id)];
        _special = [.. added.Where(a => a.Special).Select(a => a.Id)];
        _ids = new(vocabulary, StringComparer.Ordinal);
        _bytes = new byte[]?[1 + Math.Max(vocabulary.Values.Max(), added.Select(a => a.Id).DefaultIfEmpty().Max())];
        foreach (var (token, id) in vocabulary)
        {
            _bytes[id] = ByteLevel.Bytes(token);
        }

        foreach (var token in added)
        {
            _ids[token.Content] = token.Id;
            _bytes[token.Id] = Encoding.UTF8.GetBytes(token.Content);
        }

        for (var b = 0; b < 256; b++)
        {
            _byteIds[b] = vocabulary[ByteLevel.Letter((byte)b).ToString()];
        }

        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right) = merges[rank];
            _pairs[(vocabulary[left], vocabulary[right])] = (rank, vocabulary[left + right]);
        }
    }

    /// <summary>One more than the highest id: the rows that a model's embedding needs.</summary>
    public int VocabularySize => _bytes.Length;

    /// <summary>Reads a tokenizer.json with a BPE model and the ByteLevel pre-tokenizer; refuses what it would encode otherwise.</summary>
    public static Tokenizer Load(string path) => TokenizerFile.Read(path);

    /// <summary>Writes a tokenizer.json, whole or not at all.</summary>
    public void Save(string path) => TokenizerFile.Write(path, _vocabulary, _merges, _added);

    /// <summary>The same tokenizer, in which each merge is left out with a chance (BPE-dropout, Provilkov et al. 2020); a word is always split in the same way.</summary>
    public Tokenizer WithDropout(double rate, int seed) => new(_vocabulary, _merges, _added) { _dropout = (rate, seed) };

    public int? IdOf(string token) => _ids.TryGetValue(token, out var id) ? id : null;

    /// <summary>The ids of a text. Unless <paramref name="parseSpecial"/>, a control token that the text spells out is plain text.</summary>
    public int[] Encode(string text, bool parseSpecial = false)
    {
        List<int> ids = [];
        var plain = 0;
        for (var at = 0; parseSpecial && at < text.Length;)
        {
            if (Array.Find(_added, a => text.AsSpan(at).StartsWith(a.Content, StringComparison.Ordinal)) is { } token)
            {
                EncodePlain(text[plain..at], ids);
                ids.Add(token.Id);
                plain = at += token.Content.Length;
            }
            else
            {
                at++;
            }
        }

        EncodePlain(text[plain..], ids);
        return [.. ids];
    }

    /// <summary>The text of some ids; bytes that are no UTF-8 become U+FFFD, ids outside the vocabulary nothing.</summary>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = true)
    {
        List<byte> bytes = [];
        foreach (var id in ids)
        {
            if ((uint)id < (uint)_bytes.Length && !(skipSpecial && _special.Contains(id)))
            {
                bytes.AddRange(_bytes[id] ?? []);
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    private void EncodePlain(string text, List<int> ids)
    {
        foreach (var word in ByteLevel.Split(text))
        {
            Merge([.. Encoding.UTF8.GetBytes(word).Select(b => _byteIds[b])], ids);
        }
    }

    /// <summary>Merges the pair of lowest rank, leftmost first. A heap, because a hostile text is one long word.</summary>
    private void Merge(int[] word, List<int> ids)
    {
        var next = Enumerable.Range(1, word.Length).ToArray();
        var previous = Enumerable.Range(-1, word.Length).ToArray();
        var queue = new PriorityQueue<(int At, int Left, int Right), (int Rank, int At)>();
        var random = _dropout.Rate > 0 ? new Random(word.Aggregate(_dropout.Seed, (hash, id) => unchecked((hash * 31) + id))) : null;
        for (var i = 0; i + 1 < word.Length; i++)
        {
            Enqueue(i);
        }

        while (queue.TryDequeue(out var pair, out _))
        {
            var (at, behind) = (pair.At, next[pair.At]);
            // an older merge took one of the two
            if (word[at] != pair.Left || behind >= word.Length || word[behind] != pair.Right)
            {
                continue;
            }

            word[at] = _pairs[(pair.Left, pair.Right)].Id;
            word[behind] = -1;
            next[at] = next[behind];
            if (next[at] < word.Length)
            {
                previous[next[at]] = at;
                Enqueue(at);
            }

            if (previous[at] >= 0)
            {
                Enqueue(previous[at]);
            }
        }

        ids.AddRange(word.Where(id => id >= 0));

        void Enqueue(int at)
        {
            if (_pairs.TryGetValue((word[at], word[next[at]]), out var merge) && !(random?.NextDouble() < _dropout.Rate))
            {
                queue.Enqueue((at, word[at], word[next[at]]), (merge.Rank, at));
            }
        }
    }
}
