using Temper.Formats.Bytes;
using Temper.Formats.Containers;
using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>7z and RAR, in which pickles have been hidden from scanners.</summary>
internal static class ForeignScan
{
    public static void Read(Draft draft, Artifact artifact)
    {
        if (ForeignArchive.Recognize(artifact.Head) is not { } format)
        {
            return;
        }

        draft.Format(format);
        Members.JudgeDisguise(draft, format);
        var names = new HashSet<string>(StringComparer.Ordinal);
        var error = ForeignArchive.Read(artifact.Bytes, format, () => artifact.Scan.Room, member =>
        {
            Members.JudgeName(draft, member.Name, member.Link, names);
            if (member.IsEncrypted)
            {
                draft.Add(FileCards.Encrypted.At($"{draft.Path}!{member.Name}", "A member is encrypted and was not read."));
                draft.Incomplete();
                return true;
            }

            artifact.Scan.Spend(member.Content.Data.Length);
            using var content = ByteSource.Of(member.Content.Data);
            draft.Member(Members.Scan(draft, artifact, member.Name, content, member.Content.More, member.Content.Error));
            return artifact.Scan.Room > 0 && names.Count < artifact.Options.MaxMembers;
        }, artifact.Cancellation);
        if (error is not null)
        {
            draft.Incomplete(FileCards.Broken, $"The {format} archive could not be read to its end.", error);
        }
    }
}
