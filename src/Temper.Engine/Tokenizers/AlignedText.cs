namespace Temper.Engine.Tokenizers;

/// <summary>A stretch of text that remembers which UTF-16 units of the original each of its own stands for, as far as anybody asked.</summary>
internal sealed class AlignedText
{
    private readonly int[]? _from; // per unit: first unit of the original
    private readonly int[]? _to; // per unit: one behind the last

    private AlignedText(string text, int[]? from, int[]? to) => (Text, _from, _to) = (text, from, to);

    public string Text { get; }

    public bool IsTracked => _from is not null;

    public static AlignedText Of(string text, int start, int length, bool track)
    {
        var piece = start == 0 && length == text.Length ? text : text.Substring(start, length);
        if (!track)
        {
            return new(piece, null, null);
        }

        var (from, to) = (new int[length], new int[length]);
        for (var i = 0; i < length; i++)
        {
            // both halves of a surrogate pair stand for the pair
            var low = char.IsLowSurrogate(piece[i]) && i > 0 && char.IsHighSurrogate(piece[i - 1]);
            var high = char.IsHighSurrogate(piece[i]) && i + 1 < length && char.IsLowSurrogate(piece[i + 1]);
            (from[i], to[i]) = (start + i - (low ? 1 : 0), start + i + (high ? 2 : 1));
        }

        return new(piece, from, to);
    }

    /// <summary>The original's range under a range of this text.</summary>
    public (int From, int To) Range(int start, int end) => (_from![start], _to![end - 1]);

    public AlignedText Slice(int start, int length) => start == 0 && length == Text.Length
        ? this
        : new(Text.Substring(start, length), _from?[start..(start + length)], _to?[start..(start + length)]);

    /// <summary>Another text, each of whose units stands for what one of this text's did.</summary>
    public sealed class Rewrite(AlignedText source)
    {
        private readonly System.Text.StringBuilder _text = new();
        private readonly List<int>? _origin = source.IsTracked ? [] : null;

        public void Copy(int start, int end)
        {
            _text.Append(source.Text, start, end - start);
            for (var i = start; _origin is not null && i < end; i++)
            {
                _origin.Add(i);
            }
        }

        /// <param name="at">The unit of the source that the content stands for.</param>
        public void Add(ReadOnlySpan<char> content, int at)
        {
            _text.Append(content);
            for (var i = 0; _origin is not null && i < content.Length; i++)
            {
                _origin.Add(at);
            }
        }

        public AlignedText Done() => new(
            _text.ToString(), _origin?.Select(i => source._from![i]).ToArray(), _origin?.Select(i => source._to![i]).ToArray());
    }
}
