using System.Globalization;
using System.Text;

namespace Temper.Engine.Tokenizers;

/// <summary>A step from the tokens' texts to the text.</summary>
internal interface IDecoder
{
    List<string> Apply(List<string> tokens);
}

internal sealed record DecoderSequence(IReadOnlyList<IDecoder> Steps) : IDecoder
{
    public List<string> Apply(List<string> tokens) => Steps.Aggregate(tokens, (t, step) => step.Apply(t));
}

/// <summary>Letters back to bytes; bytes that are no UTF-8 become U+FFFD.</summary>
internal sealed record ByteLevelDecoder : IDecoder
{
    public List<string> Apply(List<string> tokens) => [Encoding.UTF8.GetString([.. tokens.SelectMany(ByteLevel.Bytes)])];
}

/// <summary>Runs of <c>&lt;0xXX&gt;</c> back to characters; a run that is no UTF-8 becomes U+FFFD byte by byte.</summary>
internal sealed record ByteFallbackDecoder : IDecoder
{
    private static readonly UTF8Encoding s_strict = new(false, throwOnInvalidBytes: true);

    public List<string> Apply(List<string> tokens)
    {
        List<string> texts = [];
        List<byte> run = [];
        foreach (var token in tokens)
        {
            if (token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
                && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                run.Add(value);
                continue;
            }

            Flush(run, texts);
            texts.Add(token);
        }

        Flush(run, texts);
        return texts;
    }

    private static void Flush(List<byte> run, List<string> texts)
    {
        if (run.Count == 0)
        {
            return;
        }

        try
        {
            texts.Add(s_strict.GetString([.. run]));
        }
        catch (DecoderFallbackException)
        {
            texts.AddRange(Enumerable.Repeat("\uFFFD", run.Count));
        }

        run.Clear();
    }
}

internal sealed record FuseDecoder : IDecoder
{
    public List<string> Apply(List<string> tokens) => [string.Concat(tokens)];
}

internal sealed record ReplaceDecoder(TextPattern Pattern, string Content) : IDecoder
{
    private readonly ReplaceNormalizer _replace = new(Pattern, Content);

    public List<string> Apply(List<string> tokens) => [.. tokens.Select(t => _replace.Apply(AlignedText.Of(t, 0, t.Length, track: false)).Text)];
}

/// <summary>At most so many of a character cut off each token's ends.</summary>
internal sealed record StripDecoder(char Content, int Start, int Stop) : IDecoder
{
    public List<string> Apply(List<string> tokens) => [.. tokens.Select(Cut)];

    private string Cut(string token)
    {
        var (start, end) = (0, token.Length);
        while (start < Math.Min(Start, token.Length) && token[start] == Content)
        {
            start++;
        }

        while (token.Length - end < Stop && end > start && token[end - 1] == Content)
        {
            end--;
        }

        return token[start..end];
    }
}

/// <summary>Visible spaces back to spaces; those that were put before the text vanish.</summary>
internal sealed record MetaspaceDecoder(string Replacement, bool Prepended) : IDecoder
{
    public List<string> Apply(List<string> tokens) =>
        [.. tokens.Select((t, i) => t.Replace(Replacement, i == 0 && Prepended ? "" : " ", StringComparison.Ordinal))];
}
