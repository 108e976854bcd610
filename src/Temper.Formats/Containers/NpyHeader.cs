using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Temper.Formats.Bytes;

namespace Temper.Formats.Containers;

/// <summary>The header of a numpy array: its element type as written, and how many bytes the data should have (null where that cannot be told).</summary>
public sealed record NpyHeader(string Descr, bool HasObjects, long DataOffset, long? ExpectedBytes, string? Error);

/// <summary>Reads the header of .npy files; the literal in it is matched, never evaluated.</summary>
public static partial class NpyReader
{
    /// <summary>Whether the magic is there.</summary>
    public static bool Recognize(ReadOnlySpan<byte> head) => head is [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', _, _, ..];

    /// <summary>The header, with what is wrong in it.</summary>
    public static NpyHeader Read(ByteSource source)
    {
        var wide = source.Length > 6 && source.Span(6, 1)[0] >= 2;
        var start = wide ? 12 : 10;
        if (source.Length < start)
        {
            return new("", false, source.Length, null, "found the end of the file, expected a header");
        }

        long length = wide ? BinaryPrimitives.ReadUInt32LittleEndian(source.Span(8, 4)) : BinaryPrimitives.ReadUInt16LittleEndian(source.Span(8, 2));
        if (length > source.Length - start || length > 1 << 20)
        {
            return new("", false, source.Length, null, $"found a header of {length} bytes, expected at most those of the file and 1 MiB");
        }

        var text = Encoding.Latin1.GetString(source.Span(start, (int)length)).Trim();
        var match = Layout().Match(text);
        var data = start + length;
        if (!match.Success)
        {
            return new(text, text.Contains("|O", StringComparison.Ordinal), data, null, "found a header of another shape, expected descr, fortran_order and shape");
        }

        var descr = match.Groups["descr"].Value;
        var objects = ObjectType().IsMatch(descr);
        return new(descr, objects, data, objects ? null : Bytes(descr, match.Groups["shape"].Value), null);
    }

    private static long? Bytes(string descr, string shape)
    {
        if (SimpleType().Match(descr) is { Success: true } type)
        {
            Int128 size = int.Parse(type.Groups["size"].Value, CultureInfo.InvariantCulture) * (type.Groups["kind"].Value == "U" ? 4 : 1);
            foreach (var part in shape.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                if (!long.TryParse(part.TrimEnd('L'), NumberStyles.None, CultureInfo.InvariantCulture, out var dimension) || size > long.MaxValue)
                {
                    return -1;
                }

                size *= dimension;
            }

            return size > long.MaxValue ? -1 : (long)size;
        }

        return null;
    }

    [GeneratedRegex(@"^\{\s*'descr':\s*(?<descr>'[^']*'|\[.*\]),\s*'fortran_order':\s*(True|False),\s*'shape':\s*\((?<shape>[\d,\sL]*)\),?\s*\}$",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Layout();

    [GeneratedRegex(@"'[<>|=]?O\d*'", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex ObjectType();

    [GeneratedRegex(@"^'[<>|=]?(?<kind>[biufcSUV])(?<size>\d{1,8})'$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex SimpleType();
}
