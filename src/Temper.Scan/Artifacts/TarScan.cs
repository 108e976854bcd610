using Temper.Formats.Containers;
using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>tar, and the oldest torch format, which is one.</summary>
internal static class TarScan
{
    public static void Read(Draft draft, Artifact artifact)
    {
        if (!TarReader.Recognize(artifact.Head))
        {
            return;
        }

        var listing = TarReader.Read(artifact.Bytes, artifact.Options.MaxMembers);
        var files = listing.Entries.Select(e => e.Name.StartsWith("./", StringComparison.Ordinal) ? e.Name[2..] : e.Name).ToHashSet(StringComparer.Ordinal);
        if (files.Contains("pickle") && (files.Contains("storages") || files.Contains("tensors")))
        {
            draft.Format("torch-tar");
            draft.Add(FileCards.TorchTar, "The file is a tar in the layout that torch wrote until 2017.");
        }
        else
        {
            draft.Format("tar");
            Members.JudgeDisguise(draft, "tar");
        }

        if (listing.Error is { } error)
        {
            draft.AddAt(FileCards.Broken, listing.ErrorOffset, "The tar could not be read to its end.", error);
            draft.Incomplete();
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in listing.Entries)
        {
            artifact.Cancellation.ThrowIfCancellationRequested();
            Members.JudgeName(draft, entry.Name, entry.Link, names);
            if (entry.Length > 0)
            {
                draft.Member(Members.Scan(draft, artifact, entry.Name, artifact.Bytes.Part(entry.Offset, entry.Length), more: false, error: null));
            }
        }
    }
}
