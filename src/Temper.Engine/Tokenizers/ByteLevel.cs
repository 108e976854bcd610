using System.Globalization;
using System.Text;

namespace Temper.Engine.Tokenizers;

/// <summary>GPT-2's alphabet, one printable letter a byte, and its split of text into words.</summary>
internal static class ByteLevel
{
    private static readonly char[] s_letters = Letters();
    private static readonly Dictionary<char, byte> s_bytes = Enumerable.Range(0, 256).ToDictionary(b => s_letters[b], b => (byte)b);

    public static char Letter(byte value) => s_letters[value];

    /// <summary>The bytes that a token stands for; a token with a foreign letter stands for its own UTF-8, as in Hugging Face's decoder.</summary>
    public static byte[] Bytes(string token) =>
        token.All(s_bytes.ContainsKey) ? [.. token.Select(c => s_bytes[c])] : Encoding.UTF8.GetBytes(token);

    /// <summary>
    /// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>, by hand:
    /// .NET's Regex sees UTF-16 units and so takes the letters outside the basic plane for symbols.
    /// </summary>
    public static IEnumerable<string> Split(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = WordEnd(text, start);
            yield return text[start..end];
            start = end;
        }
    }

    private static int WordEnd(string text, int start)
    {
        if (text[start] == '\'' && Contraction(text.AsSpan(start + 1)) is > 0 and var letters)
        {
            return start + 1 + letters;
        }

        var first = text[start] == ' ' && start + 1 < text.Length && KindAt(text, start + 1, out _) != Kind.Space ? start + 1 : start;
        var kind = KindAt(text, first, out var length);
        var (end, last) = (first + length, length);
        while (end < text.Length && KindAt(text, end, out length) == kind)
        {
            (end, last) = (end + length, length);
        }

        // \s+(?!\S): the last space of a run belongs to the word behind it
        return kind == Kind.Space && end < text.Length && end - last > start ? end - last : end;
    }

    private static int Contraction(ReadOnlySpan<char> rest) => rest switch
    {
        ['s' or 't' or 'm' or 'd', ..] => 1,
        ['r' or 'v', 'e', ..] or ['l', 'l', ..] => 2,
        _ => 0,
    };

    private static Kind KindAt(string text, int index, out int length)
    {
        length = Rune.DecodeFromUtf16(text.AsSpan(index), out var rune, out var consumed) == System.Buffers.OperationStatus.Done ? consumed : 1;
        return Rune.IsWhiteSpace(rune) ? Kind.Space : Rune.GetUnicodeCategory(rune) switch
        {
            <= UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
            _ => Kind.Symbol,
        };
    }

    private static char[] Letters()
    {
        var next = 256;
        return [.. Enumerable.Range(0, 256).Select(b => b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? (char)b : (char)next++)];
    }

    private enum Kind { Space, Letter, Number, Symbol }
}
