using System.Text;
using System.Text.RegularExpressions;
using Temper.Formats.Bytes;
using Temper.Formats.Containers;
using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>Zip files, above all those that torch.save writes; npz is one too.</summary>
internal static partial class ZipScan
{
    private const int Peek = 1 << 16;

    public static void Read(Draft draft, Artifact artifact)
    {
        if (!ZipReader.Recognize(artifact.Bytes))
        {
            return;
        }

        var listing = ZipReader.Read(artifact.Bytes, artifact.Options.MaxMembers);
        if (listing.Members.Count == 0 && !artifact.Head.StartsWith("PK"u8))
        {
            // A tail that only looks like an end record.
            return;
        }

        var kind = Kind(listing);
        var sizes = listing.Members.DistinctBy(m => m.Name).ToDictionary(m => m.Name, m => m.Length, StringComparer.Ordinal);
        if (draft.Formats.Count > 0)
        {
            draft.Add(FileCards.Polyglot, $"The file is {draft.Formats[0]} and a zip archive at once.", draft.Formats[0]);
        }

        draft.Format(kind);
        if (kind == "zip")
        {
            Members.JudgeDisguise(draft, kind, ".ckpt");
        }

        foreach (var defect in listing.Defects)
        {
            Judge(draft, defect);
        }

        foreach (var member in listing.Members)
        {
            artifact.Cancellation.ThrowIfCancellationRequested();
            if (artifact.Scan.Room <= 0)
            {
                draft.Incomplete(FileCards.Limit, $"The members unpack to more than {artifact.Options.MaxUnpackedBytes} bytes.");
                return;
            }

            Member(draft, artifact, member, kind, sizes);
        }
    }

    private static string Kind(ZipListing listing)
    {
        var names = listing.Members.Select(m => m.Name).ToArray();
        if (Array.Exists(names, n => n == "data.pkl" || n.EndsWith("/data.pkl", StringComparison.Ordinal)))
        {
            return Array.Exists(names, n => n.EndsWith("/constants.pkl", StringComparison.Ordinal)) ? "torchscript" : "torch-zip";
        }

        if (names.Contains("config.json") && names.Contains("metadata.json"))
        {
            return "keras";
        }

        return names.Length > 0 && Array.TrueForAll(names, n => n.EndsWith(".npy", StringComparison.Ordinal)) ? "npz" : "zip";
    }

    private static void Judge(Draft draft, ZipDefect defect)
    {
        var rule = defect.Kind switch
        {
            ZipAnomaly.NameMismatch or ZipAnomaly.HeaderMismatch => FileCards.ZipMismatch,
            ZipAnomaly.Flags => FileCards.ZipFlags,
            ZipAnomaly.DuplicateName or ZipAnomaly.EscapingName => FileCards.Name,
            ZipAnomaly.Link => FileCards.ContainerLink,
            ZipAnomaly.Prefix or ZipAnomaly.Suffix or ZipAnomaly.Gap or ZipAnomaly.HiddenMember => FileCards.ZipStray,
            ZipAnomaly.Bomb => FileCards.Bomb,
            ZipAnomaly.TooManyMembers => FileCards.Limit,
            _ => FileCards.ZipStructure,
        };
        var member = defect.Member.Length == 0 ? draft.Path : $"{draft.Path}!{defect.Member}";
        draft.Add(rule.At($"{member}@{defect.Offset}", $"{Sentence(defect.Kind)}: {defect.Detail}.", defect.Kind.ToString()));
        if (defect.Kind is ZipAnomaly.TooManyMembers or ZipAnomaly.BrokenDirectory or ZipAnomaly.LyingSizes)
        {
            draft.Incomplete();
        }
    }

    private static string Sentence(ZipAnomaly kind) => kind switch
    {
        ZipAnomaly.NameMismatch => "The member has two names",
        ZipAnomaly.Flags => "The member's flags stop some readers",
        ZipAnomaly.HeaderMismatch => "The member is described twice, differently",
        ZipAnomaly.DuplicateName => "Two members have one name",
        ZipAnomaly.EscapingName => "The name is no place inside the archive",
        ZipAnomaly.Link => "The member is a link",
        ZipAnomaly.Prefix or ZipAnomaly.Suffix or ZipAnomaly.Gap => "There is more in the file than the archive",
        ZipAnomaly.Overlap => "Members overlap",
        ZipAnomaly.Bomb => "The member is a bomb",
        ZipAnomaly.HiddenMember => "The member is hidden",
        ZipAnomaly.LyingSizes => "The sizes lie",
        ZipAnomaly.BrokenDirectory => "The directory is broken",
        _ => "The archive is too large",
    };

    private static void Member(Draft draft, Artifact artifact, ZipMember member, string kind, Dictionary<string, long> sizes)
    {
        if (member.Name.EndsWith('/') && member.PackedLength == 0)
        {
            return;
        }

        var place = $"{draft.Path}!{member.Name}";
        if (member.IsEncrypted && member.Method != 0 && (member.Flags & 0x41) == 0x41)
        {
            draft.Add(FileCards.Encrypted.At(place, "The member is encrypted and was not read."));
            draft.Incomplete();
            return;
        }

        var storage = kind is "torch-zip" or "torchscript" && TorchStorage().IsMatch(member.Name);
        var (content, more, error) = ZipReader.Open(artifact.Bytes, member, artifact.Scan.Room, artifact.Cancellation);
        if (member.Method != 0)
        {
            artifact.Scan.Spend(content.Length);
        }

        using (content)
        {
            Checksum(draft, artifact, member, content, more || error is not null);
            var inner = Members.Scan(draft, artifact, member.Name, content, more, error);
            Torch(draft, member, inner, content, kind, storage);
            TorchStorages.Judge(draft, member.Name, inner.Storages, sizes);
            if (!(storage && inner.Findings.All(f => f.Severity == Severity.Info) && !inner.Formats.Contains("pickle")))
            {
                draft.Member(inner);
            }
        }
    }

    // Stored members of many gigabytes are checked too: the CRC is the one thing that tells a damaged download.
    private static void Checksum(Draft draft, Artifact artifact, ZipMember member, ByteSource content, bool incomplete)
    {
        if (incomplete || (!member.Listed && (member.Flags & 8) != 0))
        {
            return;
        }

        uint crc = 0;
        foreach (var chunk in content.Chunks(artifact.Cancellation))
        {
            crc = Crc32.Compute(chunk, crc);
        }

        if (crc != member.Crc || content.Length != member.Length)
        {
            draft.Add(FileCards.ZipCrc.At($"{draft.Path}!{member.Name}", "The member is not what its checksum and size say.",
                $"CRC {crc:x8} and {content.Length} bytes, expected {member.Crc:x8} and {member.Length}"));
        }
    }

    private static void Torch(Draft draft, ZipMember member, Draft inner, ByteSource content, string kind, bool storage)
    {
        if (kind is not ("torch-zip" or "torchscript"))
        {
            return;
        }

        var place = $"{draft.Path}!{member.Name}";
        if (storage && inner.Formats.Contains("pickle") && inner.Findings.Any(f => f.Severity > Severity.Info))
        {
            draft.Add(FileCards.TorchMember.At(place, "A storage is a pickle that does something."));
        }

        if (member.Name.EndsWith(".py", StringComparison.Ordinal) && member.Name.Contains("/code/", StringComparison.Ordinal))
        {
            draft.Add(FileCards.TorchCode.At(place, "The archive holds code that runs when the model is called."));
            if (RiskyOperator().Match(Encoding.Latin1.GetString(content.Head(1 << 22))) is { Success: true } risky)
            {
                draft.Add(FileCards.TorchScript.At(place, $"The code names {risky.Value}, which reaches files or the interpreter.", risky.Value));
            }
        }
    }

    [GeneratedRegex(@"\b(torch\.(save|load|from_file|hub|classes)|ops\.(aten|prim)\.(save|load|from_file|to_file|PythonOp|CallMethod)|aten::(save|from_file)|os\.system|subprocess|__import__|eval\(|exec\()",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex RiskyOperator();

    [GeneratedRegex(@"^([^/]+/)?(data/\d+|version|byteorder|\.format_version|\.storage_alignment|\.data/serialization_id|constants/\d+|tensors/\d+)$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex TorchStorage();
}
