using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Temper.Formats.Containers;

namespace Temper.Formats.Pickle;

/// <summary>Files inside strings: pickles, archives and compressed streams, plain, in base64 or in hex.</summary>
public static class PickleCarriers
{
    internal const int Shortest = 4;

    /// <summary>How far the look goes.</summary>
    internal const int Reach = 512;

    private const int LineReach = 256;
    private static readonly SearchValues<byte> Hex = SearchValues.Create("0123456789abcdefABCDEF"u8);

    /// <summary>A quick look at the first bytes; it may be wrong, so what it finds is opened before anything is said.</summary>
    public static bool LooksLike(ReadOnlySpan<byte> text) => text[0] switch
    {
        0x80 => text[1] <= 5,
        (byte)'c' or (byte)'(' => text[..Math.Min(text.Length, LineReach)].Count((byte)'\n') >= 2,
        (byte)'g' => text.Length >= 8 && text[1] == 'A' && text[2] is >= (byte)'E' and <= (byte)'X',
        (byte)'P' => text.StartsWith("PK\x03\x04"u8),
        (byte)'U' => text.StartsWith("UEsD"u8),
        (byte)'H' => text.StartsWith("H4sI"u8),
        (byte)'Q' => text.StartsWith("Qlpo"u8),
        (byte)'/' => text.StartsWith("/Td6"u8),
        (byte)'e' => text.Length >= 12 && text[1] is (byte)'J' or (byte)'A' or (byte)'N' or (byte)'F',
        (byte)'Y' => text.StartsWith("Y29z"u8) || text.StartsWith("Y2"u8),
        (byte)'8' or (byte)'1' or (byte)'7' or (byte)'5' or (byte)'4' or (byte)'6' =>
            text.StartsWith("800"u8) || text.StartsWith("1f8b"u8) || text.StartsWith("789c"u8) || text.StartsWith("78da"u8) || text.StartsWith("504b0304"u8)
            || text.StartsWith("425a68"u8) || text.StartsWith("636f73"u8) || text.StartsWith("63"u8),
        0x93 => text.StartsWith("\x93NUMPY"u8) || text is [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', ..],
        _ => Compression.Recognize(text) is not null,
    };

    /// <summary>The bytes that the string stands for: itself, or decoded.</summary>
    public static byte[] Decode(ReadOnlySpan<byte> text)
    {
        var trimmed = text.Trim(" \r\n\t"u8);
        if (trimmed.Length >= 8 && trimmed.Length % 2 == 0 && trimmed.IndexOfAnyExcept(Hex) < 0)
        {
            return Convert.FromHexString(Encoding.ASCII.GetString(trimmed));
        }

        return trimmed.Length >= 8 && Base64.IsValid(trimmed, out var length) ? FromBase64(trimmed, length) : text.ToArray();
    }

    private static byte[] FromBase64(ReadOnlySpan<byte> text, int length)
    {
        var result = new byte[length];
        return Base64.DecodeFromUtf8(text, result, out _, out var written) == OperationStatus.Done ? result[..written] : text.ToArray();
    }
}
