using Temper.Formats.Bytes;
using Temper.Formats.Containers;
using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>numpy arrays: numbers, unless the header says objects or lies.</summary>
internal static class NpyScan
{
    public static void Read(Draft draft, Artifact artifact)
    {
        if (!NpyReader.Recognize(artifact.Head))
        {
            return;
        }

        draft.Format("npy");
        var header = NpyReader.Read(artifact.Bytes);
        if (header.Error is { } error)
        {
            draft.Incomplete(NpyStructure, "The header cannot be read.", error);
        }

        if (header.HasObjects)
        {
            draft.Add(FileCards.NpyObject, "The elements are Python objects, so the data is a pickle.", header.Descr);
            Data(draft, artifact, header);
        }
        else if (header.ExpectedBytes is { } expected && expected != artifact.Bytes.Length - header.DataOffset)
        {
            draft.Incomplete(NpyStructure, $"The data has {artifact.Bytes.Length - header.DataOffset} bytes, the header promises {expected}.", header.Descr);
            Data(draft, artifact, header);
        }
    }

    private static Rule NpyStructure => FileCards.NpyStructure;

    private static void Data(Draft draft, Artifact artifact, NpyHeader header)
    {
        using var data = artifact.Bytes.Part(header.DataOffset, artifact.Bytes.Length - header.DataOffset);
        var inner = artifact.Scan.Inner($"{draft.Path}!data", data, draft.Depth + 1);
        if (inner.Formats.Contains("pickle"))
        {
            draft.Member(inner);
        }
    }
}
