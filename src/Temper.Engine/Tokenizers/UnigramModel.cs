using System.Text;

namespace Temper.Engine.Tokenizers;

/// <summary>The most probable segmentation under a unigram language model (Kudo 2018).</summary>
internal sealed class UnigramModel : ITokenModel
{
    private const double UnknownPenalty = 10; // below the worst piece, as in SentencePiece

    private readonly IReadOnlyList<(string Piece, double Score)> _pieces;
    private readonly Dictionary<(int Node, char Letter), int> _edges = [];
    private readonly List<int> _ends = [-1]; // per node: the piece that ends there
    private readonly int[]? _byteIds;
    private readonly int _unknown;
    private readonly double _unknownScore;

    public UnigramModel(IReadOnlyList<(string Piece, double Score)> pieces, int unknown, bool byteFallback, IReadOnlySet<int> control)
    {
        (_pieces, _unknown) = (pieces, unknown);
        _unknownScore = pieces.Min(p => p.Score) - UnknownPenalty;
        for (var id = 0; id < pieces.Count; id++)
        {
            if (!control.Contains(id) && pieces[id].Piece.Length > 0)
            {
                Add(pieces[id].Piece, id);
            }
        }

        if (byteFallback)
        {
            var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
            for (var id = 0; id < pieces.Count; id++)
            {
                vocabulary.TryAdd(pieces[id].Piece, id);
            }

            _byteIds = ByteTokens.Ids(vocabulary);
        }
    }

    public void Encode(ReadOnlySpan<char> word, List<TokenSpan> tokens)
    {
        if (word.IsEmpty)
        {
            return;
        }

        var best = Best(word);
        List<TokenSpan> found = [];
        for (var end = word.Length; end > 0; end = best[end].From)
        {
            var (from, id, _) = best[end];
            if (id == _unknown && found.Count > 0 && found[^1].Id == _unknown)
            {
                found[^1] = found[^1] with { Start = from }; // unknown characters in a row are one token
            }
            else
            {
                found.Add(new(id, from, end));
            }
        }

        for (var i = found.Count - 1; i >= 0; i--)
        {
            Emit(word, found[i], tokens);
        }
    }

    private void Emit(ReadOnlySpan<char> word, TokenSpan token, List<TokenSpan> tokens)
    {
        if (token.Id != _unknown || _byteIds is null)
        {
            tokens.Add(token);
            return;
        }

        List<TokenSpan> bytes = [];
        for (var at = token.Start; at < token.End;)
        {
            Rune.DecodeFromUtf16(word[at..], out var rune, out var length);
            if (!ByteTokens.TryAdd(_byteIds, rune, at, at + length, bytes))
            {
                tokens.Add(token);
                return;
            }

            at += length;
        }

        tokens.AddRange(bytes);
    }

    private (int From, int Id, double Score)[] Best(ReadOnlySpan<char> word)
    {
        var best = new (int From, int Id, double Score)[word.Length + 1];
        Array.Fill(best, (-1, -1, double.NegativeInfinity));
        best[0].Score = 0;
        for (var start = 0; start < word.Length;)
        {
            Rune.DecodeFromUtf16(word[start..], out _, out var length);
            var alone = false;
            var node = 0;
            for (var end = start; end < word.Length && _edges.TryGetValue((node, word[end]), out node); end++)
            {
                if (_ends[node] is >= 0 and var id)
                {
                    alone |= end + 1 - start == length;
                    Offer(end + 1, id, _pieces[id].Score);
                }
            }

            if (!alone)
            {
                Offer(start + length, _unknown, _unknownScore);
            }

            void Offer(int end, int id, double score)
            {
                if (best[start].Score + score is var sum && (best[end].From < 0 || sum > best[end].Score))
                {
                    best[end] = (start, id, sum);
                }
            }

            start += length;
        }

        return best;
    }

    private void Add(string piece, int id)
    {
        var node = 0;
        foreach (var letter in piece)
        {
            if (!_edges.TryGetValue((node, letter), out var next))
            {
                next = _ends.Count;
                _edges[(node, letter)] = next;
                _ends.Add(-1);
            }

            node = next;
        }

        _ends[node] = id;
    }
}
