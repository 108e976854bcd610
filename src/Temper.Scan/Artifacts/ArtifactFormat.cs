using System.Buffers.Binary;
using System.Text.RegularExpressions;
using Temper.Formats.Pickle;

namespace Temper.Scan.Artifacts;

/// <summary>Tells formats apart by content, never by the name of the file.</summary>
internal static partial class ArtifactFormat
{
    public static bool IsZip(ReadOnlySpan<byte> data)
    {
        if (data.StartsWith("PK\x03\x04"u8) || data.StartsWith("PK\x05\x06"u8))
        {
            return true;
        }

        var tail = data.Length > 65_557 ? data[^65_557..] : data;
        return tail.LastIndexOf("PK\x05\x06"u8) >= 0;
    }

    public static bool IsSafeTensors(ReadOnlySpan<byte> data) =>
        data.Length >= 10 && BinaryPrimitives.ReadUInt64LittleEndian(data) is > 0 and <= 100_000_000 && data[8] == '{';

    public static string? Container(ReadOnlySpan<byte> data) => data switch
    {
        [0x1f, 0x8b, ..] => "gzip",
        [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', ..] => "bzip2",
        [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => "xz",
        [(byte)'7', (byte)'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => "7z",
        [(byte)'R', (byte)'a', (byte)'r', (byte)'!', ..] => "rar",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        [0x04, 0x22, 0x4d, 0x18, ..] => "lz4",
        [0x78, 0x01 or 0x5e or 0x9c or 0xda, ..] => "zlib",
        [0x89, (byte)'H', (byte)'D', (byte)'F', ..] => "hdf5",
        [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', ..] => "npy",
        _ when data.Length > 262 && data.Slice(257, 5).SequenceEqual("ustar"u8) => "tar",
        _ => null,
    };

    /// <summary>Whether the bytes are a pickle: by magic, or because read as one they end well or do something.</summary>
    public static bool IsPickle(ReadOnlySpan<byte> data, PickleTrace trace)
    {
        if (data is [0x80, <= 5, ..])
        {
            return trace.Steps > 1;
        }

        // Plain text can begin like protocol 0 ("cat\ndog\n"), so without the magic it takes an end or a call.
        return trace.End == PickleEnd.Stop && trace.Steps > 2
            || trace.Events.Any(e => Identifier().IsMatch(e.FullName)
                && (e.Kind == PickleEventKind.Call || PickleNames.Classify(e.Module, e.Name) == NameTrust.Dangerous));
    }

    [GeneratedRegex(@"^[\w.]+$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Identifier();
}
