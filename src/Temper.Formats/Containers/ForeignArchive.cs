using SharpCompress.Archives;
using SharpCompress.Archives.Rar;
using SharpCompress.Archives.SevenZip;
using SharpCompress.Readers;
using Temper.Formats.Bytes;

namespace Temper.Formats.Containers;

/// <summary>A member of a 7z or RAR archive, unpacked within a limit.</summary>
public sealed record ForeignMember(string Name, bool IsEncrypted, string? Link, Unpacked Content);

/// <summary>7z and RAR through SharpCompress, whose exceptions on hostile input become text.</summary>
public static class ForeignArchive
{
    /// <summary>The format that the first bytes announce.</summary>
    public static string? Recognize(ReadOnlySpan<byte> head) => head switch
    {
        [(byte)'7', (byte)'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => "7z",
        [(byte)'R', (byte)'a', (byte)'r', (byte)'!', 0x1a, 0x07, ..] => "rar",
        _ => null,
    };

    /// <summary>Hands each member to <paramref name="visit"/> until it says stop; the returned text says why reading ended early.</summary>
    public static string? Read(ByteSource source, string format, Func<long> limit, Func<ForeignMember, bool> visit, CancellationToken cancellation)
    {
        try
        {
            if (format == "7z")
            {
                SevenZipHeader.Check(source);
            }
            else if (RarHeaders.AskForMore(source, SevenZipHeader.LargestMemory))
            {
                return $"found a dictionary of more than {SevenZipHeader.LargestMemory} bytes, expected at most that";
            }

            using var stream = source.AsStream();
            var options = new ReaderOptions { LeaveStreamOpen = true };
            using var archive = format == "7z" ? SevenZipArchive.OpenArchive(stream, options) : RarArchive.OpenArchive(stream, options);
            foreach (var entry in archive.Entries)
            {
                cancellation.ThrowIfCancellationRequested();
                if (!entry.IsDirectory && !visit(Member(entry, limit(), cancellation)))
                {
                    return "a limit was reached";
                }
            }

            return null;
        }
        catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
        {
            return e.Message;
        }
    }

    private static ForeignMember Member(IArchiveEntry entry, long limit, CancellationToken cancellation)
    {
        var name = entry.Key ?? "";
        if (entry.IsEncrypted)
        {
            return new(name, IsEncrypted: true, entry.LinkTarget, new([], More: false, "encrypted"));
        }

        try
        {
            using var content = entry.OpenEntryStream();
            return new(name, IsEncrypted: false, entry.LinkTarget, Compression.ReadStream(content, limit, cancellation));
        }
        catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
        {
            return new(name, IsEncrypted: false, entry.LinkTarget, new([], More: false, e.Message));
        }
    }
}
