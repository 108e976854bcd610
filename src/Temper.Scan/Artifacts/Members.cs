using Temper.Formats.Bytes;
using Temper.Formats.Containers;
using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>What every container does with its members.</summary>
internal static class Members
{
    /// <summary>Scans unpacked bytes as the member <paramref name="name"/> of <paramref name="outer"/>.</summary>
    public static Draft Scan(Draft outer, Artifact artifact, string name, ByteSource content, bool more, string? error)
    {
        var member = artifact.Scan.Inner($"{outer.Path}!{name}", content, outer.Depth + 1);
        if (more)
        {
            member.Incomplete(FileCards.Limit, $"Only the first {content.Length} bytes were unpacked.");
        }

        if (error is not null)
        {
            member.Incomplete(FileCards.Broken, "The member could not be unpacked to its end.", error);
        }

        return member;
    }

    /// <summary>Findings about a member's name and kind that hold for every container.</summary>
    public static void JudgeName(Draft outer, string name, string? link, HashSet<string> names)
    {
        var place = $"{outer.Path}!{name}";
        if (!names.Add(name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name))
        {
            outer.Add(FileCards.Name.At(place, "A member's name stands twice; readers take the first or the last.", name));
        }

        if (ArchiveNames.Escapes(name))
        {
            outer.Add(FileCards.Name.At(place, "A member's name leaves the folder it is unpacked to.", name));
        }

        if (link is not null)
        {
            outer.Add(FileCards.ContainerLink.At(place, "A member is a link.", link));
        }
    }

    /// <summary>Weights that are packed hide from scanners; an archive that says so by its name does not.</summary>
    public static void JudgeDisguise(Draft draft, string format, params ReadOnlySpan<string> honest)
    {
        if (draft.Depth > 0)
        {
            return;
        }

        var extension = System.IO.Path.GetExtension(draft.Path).ToLowerInvariant();
        if (extension is ".pt" or ".pth" or ".bin" or ".ckpt" or ".pkl" or ".pickle" or ".safetensors" or ".gguf" or ".npy" or ".model" && !honest.Contains(extension))
        {
            draft.Add(FileCards.Disguise, $"The name ends in {extension}, the content is {format}.", format);
        }
    }
}
