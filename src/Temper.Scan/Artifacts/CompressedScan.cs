using Temper.Formats.Bytes;
using Temper.Formats.Containers;

namespace Temper.Scan.Artifacts;

/// <summary>gzip, zlib, bzip2, xz, lzma, lz4 and zstd around one file, as joblib and others write them.</summary>
internal static class CompressedScan
{
    public static void Read(Draft draft, Artifact artifact)
    {
        if (draft.IsData || Compression.Recognize(artifact.Head) is not { } kind)
        {
            return;
        }

        var unpacked = Compression.Read(kind, artifact.Bytes, artifact.Scan.Room, artifact.Cancellation);
        var weak = kind is CompressionKind.Zlib or CompressionKind.Lzma;
        if (unpacked.Data.Length == 0 && (weak || draft.Formats.Count > 0))
        {
            // Two bytes are no proof: what does not unpack at all was never a stream of this kind.
            return;
        }

        using var content = ByteSource.Of(unpacked.Data);
        var name = kind.ToString().ToLowerInvariant();
        artifact.Scan.Spend(unpacked.Data.Length);
        var member = Members.Scan(draft, artifact, name, content, unpacked.More, unpacked.Error);
        if (weak && unpacked.Error is not null && !member.Formats.Contains("pickle"))
        {
            return;
        }

        draft.Format(name);
        draft.Member(member);
        if (!member.Formats.Contains("pickle"))
        {
            // joblib compresses pickles and says nothing in the name; everything else has no reason to hide.
            Members.JudgeDisguise(draft, name);
        }
    }
}
