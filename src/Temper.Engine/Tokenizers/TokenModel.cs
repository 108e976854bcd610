namespace Temper.Engine.Tokenizers;

/// <summary>A token and the characters of the word that it stands for.</summary>
internal readonly record struct TokenSpan(int Id, int Start, int End);

/// <summary>What turns a word into tokens.</summary>
internal interface ITokenModel
{
    void Encode(ReadOnlySpan<char> word, List<TokenSpan> tokens);
}

/// <summary>The tokens that stand for single bytes, for characters that have none of their own.</summary>
internal static class ByteTokens
{
    /// <summary>The id of each byte; -1 where there is none.</summary>
    public static int[] Ids(IReadOnlyDictionary<string, int> vocabulary) => [.. Enumerable.Range(0, 256).Select(b => vocabulary.GetValueOrDefault(Name((byte)b), -1))];

    public static string Name(byte value) => $"<0x{value:X2}>";

    /// <summary>Adds the tokens of a character's bytes, if all have one; each stands for the whole character.</summary>
    public static bool TryAdd(int[] ids, System.Text.Rune rune, int start, int end, List<TokenSpan> tokens)
    {
        Span<byte> bytes = stackalloc byte[4];
        bytes = bytes[..rune.EncodeToUtf8(bytes)];
        foreach (var b in bytes)
        {
            if (ids[b] < 0)
            {
                return false;
            }
        }

        foreach (var b in bytes)
        {
            tokens.Add(new(ids[b], start, end));
        }

        return true;
    }
}
