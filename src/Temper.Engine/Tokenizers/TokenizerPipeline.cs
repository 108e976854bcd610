namespace Temper.Engine.Tokenizers;

/// <summary>The parts of a tokenizer.</summary>
internal sealed record TokenizerPipeline
{
    public required IReadOnlyDictionary<string, int> Vocabulary { get; init; }

    public required ITokenModel Model { get; init; }

    public IReadOnlyList<AddedToken> Added { get; init; } = [];

    public INormalizer? Normalizer { get; init; }

    public IPretokenizer? Pretokenizer { get; init; }

    public IDecoder? Decoder { get; init; }

    public TokenFrame Frame { get; init; } = TokenFrame.None;

    /// <summary>What BPE was learned as; empty where it was read.</summary>
    public IReadOnlyList<(string Left, string Right)> Merges { get; init; } = [];
}

/// <summary>What a post-processor does: tokens around a text, and white space taken out of offsets.</summary>
/// <param name="PrefixSpace">Whether the space before the first word was added and so is not taken out.</param>
internal sealed record TokenFrame(int[] Before, int[] Behind, bool TrimsOffsets = false, bool PrefixSpace = false)
{
    public static TokenFrame None { get; } = new([], []);

    public (int Start, int End) Trim(string token, int start, int end, bool first)
    {
        if (!TrimsOffsets)
        {
            return (start, end);
        }

        static bool IsSpace(char c) => c == ByteLevel.Letter((byte)' ') || char.IsWhiteSpace(c);
        var leading = (first || start == 0) && PrefixSpace ? 0 : token.TakeWhile(IsSpace).Count();
        var trailing = token.Reverse().TakeWhile(IsSpace).Count();
        start = Math.Min(start + leading, end);
        return (start, end >= trailing ? Math.Max(end - trailing, start) : end);
    }
}
