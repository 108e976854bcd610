using System.Text;

namespace Temper.Engine.Tokenizers;

/// <summary>What a BPE vocabulary does with characters that it lacks, and with whole words that it holds.</summary>
internal sealed record BpeOptions(string? Unknown = null, bool FuseUnknown = false, bool ByteFallback = false, bool IgnoreMerges = false);

/// <summary>Byte-pair encoding (Sennrich et al. 2016) over the characters of a word, which are the letters of its bytes where the split before says so.</summary>
internal sealed class BpeModel : ITokenModel
{
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly Dictionary<(int Left, int Right), (int Rank, int Id)> _pairs;
    private readonly BpeOptions _options;
    private readonly int[]? _byteIds;
    private readonly int _unknown;
    private readonly (double Rate, int Seed) _dropout;

    private BpeModel(BpeModel other, (double Rate, int Seed) dropout)
    {
        (_ids, _bySpan, _pairs, _options, _byteIds, _unknown) = (other._ids, other._bySpan, other._pairs, other._options, other._byteIds, other._unknown);
        _dropout = dropout;
    }

    /// <summary>The caller has checked that every merge has its tokens. Tokens of <paramref name="control"/> are no result of encoding.</summary>
    public BpeModel(IReadOnlyDictionary<string, int> vocabulary, IReadOnlyList<(string Left, string Right)> merges, IReadOnlySet<int> control, BpeOptions options)
    {
        _options = options;
        _unknown = options.Unknown is { } unknown ? vocabulary[unknown] : -1;
        _byteIds = options.ByteFallback ? ByteTokens.Ids(vocabulary) : null;
        _ids = new(vocabulary.Where(v => !control.Contains(v.Value)), StringComparer.Ordinal);
        _bySpan = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _pairs = new(merges.Count);
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right) = merges[rank];
            _pairs[(vocabulary[left], vocabulary[right])] = (rank, vocabulary[left + right]);
        }
    }

    /// <summary>The same model, in which each merge is left out with a chance.</summary>
    public BpeModel WithDropout(double rate, int seed) => new(this, (rate, seed));

    public void Encode(ReadOnlySpan<char> word, List<TokenSpan> tokens)
    {
        if (_options.IgnoreMerges && _dropout.Rate <= 0 && _bySpan.TryGetValue(word, out var whole))
        {
            tokens.Add(new(whole, 0, word.Length));
            return;
        }

        List<TokenSpan> symbols = [];
        for (var at = 0; at < word.Length;)
        {
            Rune.DecodeFromUtf16(word[at..], out var rune, out var length);
            Symbol(word, at, at + length, rune, symbols);
            at += length;
        }

        Merge([.. symbols], tokens);
    }

    private void Symbol(ReadOnlySpan<char> word, int start, int end, Rune rune, List<TokenSpan> symbols)
    {
        if (_bySpan.TryGetValue(word[start..end], out var id))
        {
            symbols.Add(new(id, start, end));
        }
        else if (_byteIds is not null && ByteTokens.TryAdd(_byteIds, rune, start, end, symbols))
        {
            return;
        }
        else if (_unknown >= 0 && _options.FuseUnknown && symbols.Count > 0 && symbols[^1].Id == _unknown)
        {
            symbols[^1] = symbols[^1] with { End = end };
        }
        else if (_unknown >= 0)
        {
            symbols.Add(new(_unknown, start, end));
        }
    }

    /// <summary>Merges the pair of lowest rank, leftmost first. A heap, because a hostile text is one long word.</summary>
    private void Merge(TokenSpan[] word, List<TokenSpan> tokens)
    {
        var next = new int[word.Length];
        var previous = new int[word.Length];
        for (var i = 0; i < word.Length; i++)
        {
            (next[i], previous[i]) = (i + 1, i - 1);
        }

        var queue = new PriorityQueue<(int At, int Left, int Right), (int Rank, int At)>();
        var random = _dropout.Rate > 0 ? new Random(word.Aggregate(_dropout.Seed, (hash, token) => unchecked((hash * 31) + token.Id))) : null;
        for (var i = 0; i + 1 < word.Length; i++)
        {
            Enqueue(i);
        }

        while (queue.TryDequeue(out var pair, out _))
        {
            var (at, behind) = (pair.At, next[pair.At]);
            // an older merge took one of the two
            if (word[at].Id != pair.Left || behind >= word.Length || word[behind].Id != pair.Right)
            {
                continue;
            }

            word[at] = new(_pairs[(pair.Left, pair.Right)].Id, word[at].Start, word[behind].End);
            word[behind] = word[behind] with { Id = -1 };
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

        foreach (var token in word)
        {
            if (token.Id >= 0)
            {
                tokens.Add(token);
            }
        }

        void Enqueue(int at)
        {
            if (_pairs.TryGetValue((word[at].Id, word[next[at]].Id), out var merge) && !(random?.NextDouble() < _dropout.Rate))
            {
                queue.Enqueue((at, word[at].Id, word[next[at]].Id), (merge.Rank, at));
            }
        }
    }
}

/// <summary>Splits before the mark of a space, where no merge reaches across: the same tokens, from words that recur instead of one as long as the text.</summary>
internal sealed record SpaceMarkPretokenizer(char Mark) : IPretokenizer
{
    public static SpaceMarkPretokenizer? For(IEnumerable<(string Left, string Right)> merges, IReadOnlyDictionary<string, int> vocabulary, BpeOptions options)
    {
        const char Space = '\u2581';
        return !options.IgnoreMerges && vocabulary.ContainsKey(Space.ToString()) && merges.All(m => m.Left[^1] == Space || m.Right[0] != Space) ? new(Space) : null;
    }

    public IEnumerable<Word> Split(Word word, bool first)
    {
        for (var start = 0; start < word.Length;)
        {
            var end = End(word.Span, start);
            yield return word with { Start = word.Start + start, Length = end - start };
            start = end;
        }
    }

    private int End(ReadOnlySpan<char> text, int start)
    {
        var letters = text[start..].IndexOfAnyExcept(Mark);
        var mark = letters < 0 ? -1 : text[(start + letters)..].IndexOf(Mark);
        return mark < 0 ? text.Length : start + letters + mark;
    }
}
