using System.Collections.Concurrent;

namespace Temper.Engine.Tokenizers;

/// <summary>The ids of a text, and of each the code points that it stands for: (0, 0) for tokens that the text does not hold.</summary>
public sealed record EncodedText(int[] Ids, IReadOnlyList<(int Start, int End)> Offsets);

/// <summary>The pipeline of a tokenizer.json: normalizer, splits, BPE or Unigram, the tokens that frame a text, decoder.</summary>
public sealed class Tokenizer
{
    private const int MaxCached = 1 << 16;
    private const int MaxCachedLength = 48;

    private readonly TokenizerPipeline _pipeline;
    private readonly byte[]? _file;
    private readonly Dictionary<string, int> _ids;
    private readonly string?[] _texts;
    private readonly HashSet<int> _special;
    private readonly (AddedTokens All, AddedTokens Text) _raw;
    private readonly (AddedTokens All, AddedTokens Text) _normalized;
    private readonly AddedTokens _written; // by their contents
    private readonly ConcurrentDictionary<string, TokenSpan[]> _words = new(StringComparer.Ordinal);
    private int _cached; // counting a concurrent dictionary stops all its users
    private readonly ConcurrentDictionary<string, TokenSpan[]>.AlternateLookup<ReadOnlySpan<char>> _bySpan;

    /// <param name="file">What a tokenizer.json said, so that saving repeats it.</param>
    internal Tokenizer(TokenizerPipeline pipeline, byte[]? file = null)
    {
        (_pipeline, _file) = (pipeline, file);
        _bySpan = _words.GetAlternateLookup<ReadOnlySpan<char>>();
        _ids = new(pipeline.Vocabulary, StringComparer.Ordinal);
        _special = [.. pipeline.Added.Where(a => a.Special).Select(a => a.Id)];
        _texts = new string?[1 + Math.Max(pipeline.Vocabulary.Values.DefaultIfEmpty().Max(), pipeline.Added.Select(a => a.Id).DefaultIfEmpty().Max())];
        foreach (var (token, id) in pipeline.Vocabulary)
        {
            _texts[id] = token;
        }

        foreach (var token in pipeline.Added)
        {
            _ids[token.Content] = token.Id;
            _texts[token.Id] = token.Content;
        }

        string Normalize(string text) => pipeline.Normalizer?.Apply(AlignedText.Of(text, 0, text.Length, track: false)).Text ?? text;
        (AddedTokens, AddedTokens) Finders(IEnumerable<(string Content, AddedToken Token)> tokens) => (new(tokens), new(tokens.Where(t => !t.Token.IsControl)));
        _raw = Finders([.. pipeline.Added.Where(a => !a.Normalized).Select(a => (a.Content, a))]);
        _written = new(pipeline.Added.Select(a => (a.Content, a)));
        _normalized = Finders([.. pipeline.Added.Where(a => a.Normalized).Select(a => (Normalize(a.Content), a))]);
    }

    /// <summary>Byte-level BPE as in GPT-2. The caller has checked that every byte and every merge has its token.</summary>
    internal Tokenizer(IReadOnlyDictionary<string, int> vocabulary, IReadOnlyList<(string Left, string Right)> merges, IReadOnlyList<AddedToken> added)
        : this(new()
        {
            Vocabulary = vocabulary, Added = added, Pretokenizer = new ByteLevelPretokenizer(AddPrefixSpace: false, UseRegex: true), Decoder = new ByteLevelDecoder(),
            Model = new BpeModel(vocabulary, merges, added.Where(a => a.Special).Select(a => a.Id).ToHashSet(), new()), Merges = merges,
        })
    {
    }

    /// <summary>One more than the highest id: the rows that a model's embedding needs.</summary>
    public int VocabularySize => _texts.Length;

    /// <summary>Reads a tokenizer.json; refuses what it would encode otherwise than its makers do.</summary>
    public static Tokenizer Load(string path) => TokenizerFile.Read(path);

    /// <summary>Writes a tokenizer.json, whole or not at all.</summary>
    public void Save(string path)
    {
        if (_file is null)
        {
            TokenizerFile.Write(path, _pipeline.Vocabulary, _pipeline.Merges, _pipeline.Added);
        }
        else
        {
            TokenizerFile.Write(path, stream => stream.Write(_file));
        }
    }

    /// <summary>The same tokenizer, in which each merge is left out with a chance (BPE-dropout, Provilkov et al. 2020); a word is always split in the same way.</summary>
    public Tokenizer WithDropout(double rate, int seed) => _pipeline.Model is BpeModel bpe
        ? new(_pipeline with { Model = bpe.WithDropout(rate, seed) }, _file)
        : throw new Core.TemperException("tokenizer: found a unigram model, expected BPE, whose merges can be left out");

    public int? IdOf(string token) => _ids.TryGetValue(token, out var id) ? id : null;

    /// <summary>The ids of a text. Unless <paramref name="parseSpecial"/>, a control token that the text spells out is plain text.</summary>
    /// <param name="addSpecial">Whether the tokens that frame a text, such as the one that begins it, are added.</param>
    public int[] Encode(string text, bool parseSpecial = false, bool addSpecial = false)
    {
        List<int> ids = [.. addSpecial ? _pipeline.Frame.Before : []];
        Encode(text, parseSpecial, ids, null);
        return [.. ids, .. addSpecial ? _pipeline.Frame.Behind : []];
    }

    /// <summary>The same with what each token stands for.</summary>
    public EncodedText EncodeWithOffsets(string text, bool parseSpecial = false, bool addSpecial = false)
    {
        List<int> ids = [];
        List<(int From, int To)> ranges = [];
        Encode(text, parseSpecial, ids, ranges);
        var codePoints = new int[text.Length + 1]; // before each UTF-16 unit
        for (var i = 0; i < text.Length; i++)
        {
            codePoints[i + 1] = codePoints[i] + (char.IsLowSurrogate(text[i]) && i > 0 && char.IsHighSurrogate(text[i - 1]) ? 0 : 1);
        }

        var offsets = ranges.Select((r, i) => _pipeline.Frame.Trim(_texts[ids[i]]!, codePoints[r.From], codePoints[r.To], i == 0));
        var (before, behind) = addSpecial ? (_pipeline.Frame.Before, _pipeline.Frame.Behind) : ([], []);
        return new([.. before, .. ids, .. behind], [.. before.Select(_ => (0, 0)), .. offsets, .. behind.Select(_ => (0, 0))]);
    }

    /// <summary>The text of some ids; bytes that are no UTF-8 become U+FFFD, ids outside the vocabulary nothing.</summary>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = true)
    {
        List<string> tokens = [];
        foreach (var id in ids)
        {
            if ((uint)id < (uint)_texts.Length && _texts[id] is { } text && !(skipSpecial && _special.Contains(id)))
            {
                tokens.Add(text);
            }
        }

        return _pipeline.Decoder is { } decoder ? string.Concat(decoder.Apply(tokens)) : string.Join(' ', tokens);
    }

    /// <summary>A text in which no control token can be found any more: each that it spells out has a mark behind its first character.</summary>
    internal string Break(string text, char mark)
    {
        var result = new System.Text.StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            result.Append(text[at]);
            if (_pipeline.Added.Any(a => a.IsControl && text.AsSpan(at).StartsWith(a.Content, StringComparison.Ordinal)))
            {
                result.Append(mark);
            }
        }

        return result.ToString();
    }

    /// <summary>The ids of a text whose control tokens count, with the marks of <see cref="Break"/> taken out of what is plain.</summary>
    internal int[] EncodeBroken(string text, char mark)
    {
        List<int> ids = [];
        foreach (var (start, end, token) in _written.Split(text))
        {
            if (token is null)
            {
                Encode(text[start..end].Replace(mark.ToString(), "", StringComparison.Ordinal), parseSpecial: false, ids, null);
            }
            else
            {
                ids.Add(token.Id);
            }
        }

        return [.. ids];
    }

    private void Encode(string text, bool parseSpecial, List<int> ids, List<(int From, int To)>? ranges)
    {
        var (raw, normalized) = parseSpecial ? (_raw.All, _normalized.All) : (_raw.Text, _normalized.Text);
        foreach (var (start, end, token) in raw.Split(text))
        {
            if (token is not null)
            {
                ids.Add(token.Id);
                ranges?.Add((start, end));
                continue;
            }

            var plain = AlignedText.Of(text, start, end - start, ranges is not null);
            plain = _pipeline.Normalizer?.Apply(plain) ?? plain;
            foreach (var (from, to, known) in normalized.Split(plain.Text))
            {
                if (known is null)
                {
                    Words(plain.Slice(from, to - from), start == 0 && from == 0, ids, ranges);
                }
                else
                {
                    ids.Add(known.Id);
                    ranges?.Add(plain.Range(from, to));
                }
            }
        }
    }

    private void Words(AlignedText text, bool first, List<int> ids, List<(int From, int To)>? ranges)
    {
        var whole = new Word(text, 0, text.Text.Length);
        foreach (var word in _pipeline.Pretokenizer?.Split(whole, first) ?? [whole])
        {
            var tokens = Tokens(word);
            var places = ranges is not null && word.Bytes ? BytePlaces(word.Span) : null;
            foreach (var token in tokens)
            {
                ids.Add(token.Id);
                var (start, end) = places is null ? (token.Start, token.End) : (places[token.Start], places[token.End - 1] + 1);
                ranges?.Add(word.Text.Range(word.Start + start, word.Start + end));
            }
        }
    }

    private TokenSpan[] Tokens(Word word)
    {
        if (word.Length <= MaxCachedLength && _bySpan.TryGetValue(word.Span, out var known))
        {
            return known;
        }

        List<TokenSpan> tokens = [];
        _pipeline.Model.Encode(word.Bytes ? ByteLevel.Letters(word.Span) : word.Span, tokens);
        TokenSpan[] found = [.. tokens];
        if (word.Length <= MaxCachedLength && _cached < MaxCached && _bySpan.TryAdd(word.Span, found))
        {
            Interlocked.Increment(ref _cached);
        }

        return found;
    }

    /// <summary>For each byte of a word the UTF-16 unit that it belongs to.</summary>
    private static int[] BytePlaces(ReadOnlySpan<char> word)
    {
        List<int> places = [];
        for (var at = 0; at < word.Length;)
        {
            System.Text.Rune.DecodeFromUtf16(word[at..], out var rune, out var length);
            places.AddRange(Enumerable.Repeat(at, rune.Utf8SequenceLength));
            at += length;
        }

        return [.. places];
    }
}
