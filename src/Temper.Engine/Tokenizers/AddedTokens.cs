using System.Buffers;
using System.Text;

namespace Temper.Engine.Tokenizers;

/// <summary>A token that the model never finds by merging: a control token, if <see cref="Special"/>.</summary>
/// <param name="SingleWord">Found only where no letter touches it.</param>
/// <param name="LeftStrip">Takes the white space before it.</param>
/// <param name="RightStrip">Takes the white space behind it.</param>
/// <param name="Normalized">Looked for in the normalized text.</param>
internal sealed record AddedToken(int Id, string Content, bool Special, bool SingleWord = false, bool LeftStrip = false, bool RightStrip = false, bool Normalized = false)
{
    /// <summary>Whether a text that spells it out must not become it unasked: all but runs of white space.</summary>
    public bool IsControl => Special || !Content.All(char.IsWhiteSpace);
}

/// <summary>Finds added tokens: leftmost first, then the longest.</summary>
internal sealed class AddedTokens
{
    private readonly Dictionary<char, (string Content, AddedToken Token)[]> _byFirst;
    private readonly SearchValues<char> _firsts;

    /// <param name="tokens">With the text under which each is found.</param>
    public AddedTokens(IEnumerable<(string Content, AddedToken Token)> tokens)
    {
        _byFirst = tokens.Where(t => t.Content.Length > 0).GroupBy(t => t.Content[0])
            .ToDictionary(g => g.Key, g => g.OrderByDescending(t => t.Content.Length).ThenBy(t => t.Token.Id).ToArray());
        _firsts = SearchValues.Create([.. _byFirst.Keys]);
    }

    public bool IsEmpty => _byFirst.Count == 0;

    /// <summary>The text in parts: added tokens, and null for what lies between.</summary>
    public IEnumerable<(int Start, int End, AddedToken? Token)> Split(string text)
    {
        var plain = 0;
        for (var at = 0; at < text.Length;)
        {
            var next = text.AsSpan(at).IndexOfAny(_firsts);
            if (next < 0)
            {
                break;
            }

            at += next;
            if (Find(text, at) is not ({ } token, var length))
            {
                at++;
                continue;
            }

            var (start, end) = (at, at + length);
            at = end;
            if (token.SingleWord && (EndsWithWord(text, start) || StartsWithWord(text, end)))
            {
                continue;
            }

            while (token.LeftStrip && start > plain && char.IsWhiteSpace(text[start - 1]))
            {
                start--;
            }

            while (token.RightStrip && end < text.Length && char.IsWhiteSpace(text[end]))
            {
                end++;
            }

            if (start > plain)
            {
                yield return (plain, start, null);
            }

            yield return (start, end, token);
            plain = at = end;
        }

        if (plain < text.Length)
        {
            yield return (plain, text.Length, null);
        }
    }

    private (AddedToken? Token, int Length) Find(string text, int at)
    {
        foreach (var (content, token) in _byFirst[text[at]])
        {
            if (text.AsSpan(at).StartsWith(content, StringComparison.Ordinal))
            {
                return (token, content.Length);
            }
        }

        return (null, 0);
    }

    private static bool EndsWithWord(string text, int end) => end > 0 && Rune.DecodeLastFromUtf16(text.AsSpan(0, end), out var rune, out _) == OperationStatus.Done && IsWord(rune);

    private static bool StartsWithWord(string text, int start) => start < text.Length && Rune.DecodeFromUtf16(text.AsSpan(start), out var rune, out _) == OperationStatus.Done && IsWord(rune);

    private static bool IsWord(Rune rune) => Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.ConnectorPunctuation
        or System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark or System.Globalization.UnicodeCategory.EnclosingMark;
}
