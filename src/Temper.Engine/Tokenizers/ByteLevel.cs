using System.Text;

namespace Temper.Engine.Tokenizers;

/// <summary>GPT-2's alphabet, one printable letter a byte.</summary>
internal static class ByteLevel
{
    private static readonly char[] s_letters = Letters();
    private static readonly int[] s_bytes = Bytes();

    public static char Letter(byte value) => s_letters[value];

    /// <summary>The letters of a text's UTF-8.</summary>
    public static string Letters(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        var count = Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(count, bytes, (letters, b) =>
        {
            for (var i = 0; i < letters.Length; i++)
            {
                letters[i] = s_letters[b[i]];
            }
        });
    }

    /// <summary>The bytes that a token stands for; a token with a foreign letter stands for its own UTF-8, as in Hugging Face's decoder.</summary>
    public static byte[] Bytes(string token) =>
        token.All(c => c < s_bytes.Length && s_bytes[c] >= 0) ? [.. token.Select(c => (byte)s_bytes[c])] : Encoding.UTF8.GetBytes(token);

    /// <summary>The words of a text, as GPT-2 splits it.</summary>
    public static IEnumerable<string> Split(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = WordSplit.Gpt2.End(text, start);
            yield return text[start..end];
            start = end;
        }
    }

    private static char[] Letters()
    {
        var next = 256;
        return [.. Enumerable.Range(0, 256).Select(b => b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? (char)b : (char)next++)];
    }

    private static int[] Bytes()
    {
        var bytes = Enumerable.Repeat(-1, s_letters.Max() + 1).ToArray();
        for (var b = 0; b < 256; b++)
        {
            bytes[s_letters[b]] = b;
        }

        return bytes;
    }
}
