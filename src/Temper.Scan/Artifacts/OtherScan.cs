using System.Text;
using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>What no other reader took: text, pictures and the unknown.</summary>
internal static class OtherScan
{
    private const int Sample = 1 << 20;

    public static void Read(Draft draft, Artifact artifact)
    {
        if (draft.Formats.Count > 0 || artifact.Bytes.Length == 0)
        {
            if (artifact.Bytes.Length == 0)
            {
                draft.Format("empty");
                draft.Add(FileCards.Unrecognized, "The file is empty.");
                draft.Unjudged();
            }

            return;
        }

        var head = artifact.Head;
        if (head.StartsWith("version https://git-lfs.github.com/spec/"u8))
        {
            draft.Format("git-lfs-pointer");
            draft.Add(FileCards.GitLfs, "This is the pointer that Git LFS leaves; the real file was not fetched.");
        }
        else if (Picture(head) is { } picture)
        {
            draft.Format(picture);
        }
        else if (IsText(artifact))
        {
            Configs.TextScan.Judge(draft, artifact);
        }
        else
        {
            draft.Add(FileCards.Unrecognized, "The file is of no format that this scan knows.", Convert.ToHexStringLower(head[..Math.Min(16, head.Length)]));
            draft.Unjudged();
        }
    }

    private static string? Picture(ReadOnlySpan<byte> head) =>
        head.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']) ? "png" : head.StartsWith((ReadOnlySpan<byte>)[0xff, 0xd8, 0xff]) ? "jpeg" : head.StartsWith("GIF8"u8) ? "gif" : null;

    private static bool IsText(Artifact artifact)
    {
        var sample = artifact.Bytes.Head(Sample);
        if (sample.IndexOfAnyInRange((byte)0, (byte)8) >= 0)
        {
            return false;
        }

        // A cut inside a character at the end of the sample is no fault of the file.
        var decoder = new UTF8Encoding(false, throwOnInvalidBytes: true).GetDecoder();
        try
        {
            decoder.GetCharCount(sample, flush: sample.Length == artifact.Bytes.Length);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
