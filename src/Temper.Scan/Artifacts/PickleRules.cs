using Temper.Formats.Pickle;
using Temper.Scan.Rules;

namespace Temper.Scan.Artifacts;

/// <summary>Judges what a pickle would do. Default-deny: an import that is on no list is suspicious.</summary>
public static class PickleRules
{
    private const byte NewObject = 0x81;
    private const byte NewObjectEx = 0x92;

    /// <summary>The findings for one trace.</summary>
    public static IReadOnlyList<Finding> Judge(PickleTrace trace, string location)
    {
        var findings = new List<Finding>();
        var seen = new HashSet<(PickleEventKind, string, bool, byte)>();
        foreach (var e in trace.Events)
        {
            if (seen.Add((e.Kind, e.FullName, e.Resolved, e.Oddity is null ? e.Opcode : (byte)1)) && Judge(e, location) is { } finding)
            {
                findings.Add(finding);
            }
        }

        if (trace.End != PickleEnd.Stop)
        {
            findings.Add(PickleCards.Broken.At(At(location, trace.EndOffset), $"Reading ended early ({trace.End}); a loader runs everything before that point.",
                $"{trace.Events.Count} events before it"));
        }

        if (trace.FrameMismatch is { } frame)
        {
            findings.Add(PickleCards.Frame.At(At(location, frame), "A frame does not match its opcodes; loaders disagree about such a file.", "FRAME"));
        }

        if (trace.ProtocolChange is { } change)
        {
            findings.Add(PickleCards.Protocol.At(At(location, change), "The protocol is set inside a pickle.", "PROTO"));
        }

        return findings;
    }

    private static Finding? Judge(PickleEvent e, string location) => e.Kind switch
    {
        PickleEventKind.Import => Import(e, location),
        PickleEventKind.Call => Call(e, location),
        PickleEventKind.Write when e.Oddity is not null => PickleCards.Tensor.At(At(location, e.Offset), $"Writes items into what {e.FullName} made, which is no container.", e.FullName),
        PickleEventKind.Write => PickleCards.Write.At(At(location, e.Offset), $"Changes the imported object {e.FullName} itself.", e.Arguments),
        _ => null,
    };

    private static Finding? Import(PickleEvent e, string location)
    {
        var at = At(location, e.Offset);
        if (!e.Resolved)
        {
            return PickleCards.Computed.At(at, "Imports a name that the file computes while loading.", e.FullName);
        }

        return PickleNames.Classify(e.Module, e.Name) switch
        {
            NameTrust.Dangerous => PickleCards.Dangerous.At(at, $"Imports {e.FullName}, which weights never need and which runs code or reaches what does.", e.FullName),
            NameTrust.Unlisted => PickleCards.Unlisted.At(at, $"Imports {e.FullName}, which is on no list of harmless names.", e.FullName),
            NameTrust.Known => PickleCards.Known.At(at, $"Imports {e.FullName}, a class of a known library whose loading code is not vetted.", e.FullName),
            _ => null,
        };
    }

    private static Finding? Call(PickleEvent e, string location)
    {
        var at = At(location, e.Offset);
        if (!e.Resolved || e.Module.Length == 0)
        {
            return PickleCards.CallComputed.At(at, "Calls something that another call made.", $"{e.FullName}(…){e.Arguments}");
        }

        if (PickleNames.Classify(e.Module, e.Name) == NameTrust.Dangerous)
        {
            return PickleCards.Call.At(at, $"Calls {e.FullName} while loading.", $"{e.FullName}{e.Arguments}");
        }

        if (PickleNames.Classify(e.Module, e.Name) == NameTrust.Known && e.Opcode is not (NewObject or NewObjectEx))
        {
            return PickleCards.CallKnown.At(at, $"Calls {e.FullName} while loading.", $"{e.FullName}{e.Arguments}");
        }

        return e.Oddity is null ? null : PickleCards.Argument.At(at, $"Calls {e.FullName} with {e.Oddity}.", $"{e.FullName}{e.Arguments}");
    }

    private static string At(string location, long offset) => $"{location}@{offset}";
}
