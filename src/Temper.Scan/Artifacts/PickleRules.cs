using Temper.Formats.Pickle;

namespace Temper.Scan.Artifacts;

/// <summary>Judges what a pickle would do. Default-deny: an import that is on no list is suspicious.</summary>
public static class PickleRules
{
    private static readonly string[] Tags = ["CWE-502", "AML.T0011.000", "LLM03"];

    /// <summary>The findings for one trace.</summary>
    public static IReadOnlyList<Finding> Judge(PickleTrace trace, string location)
    {
        var findings = new List<Finding>();
        var seen = new HashSet<(PickleEventKind, string, bool)>();
        foreach (var e in trace.Events)
        {
            if (seen.Add((e.Kind, e.FullName, e.Resolved)) && Judge(e, location) is { } finding)
            {
                findings.Add(finding);
            }
        }

        if (trace.End != PickleEnd.Stop)
        {
            findings.Add(new("pickle.broken", Severity.Low, At(location, trace.EndOffset),
                $"Reading ended early ({trace.End}); a loader runs everything before that point.", $"{trace.Events.Count} events before it",
                "Get the file again from its author; do not load this copy.", Tags));
        }

        if (trace.FrameMismatch is { } frame)
        {
            findings.Add(new("pickle.frame", Severity.Medium, At(location, frame),
                "A frame does not match its opcodes; loaders disagree about such a file.", "FRAME", "Do not load; no pickler writes this.", Tags));
        }

        return findings;
    }

    private static Finding? Judge(PickleEvent e, string location) => e.Kind switch
    {
        PickleEventKind.Import => Import(e, location),
        PickleEventKind.Call => Call(e, location),
        PickleEventKind.Write => new("pickle.write", Severity.High, At(location, e.Offset),
            $"Changes the imported object {e.FullName} itself.", e.Arguments, "Do not load. Delete the file.", Tags),
        _ => null,
    };

    private static Finding? Import(PickleEvent e, string location)
    {
        if (!e.Resolved)
        {
            return new("pickle.import.computed", Severity.High, At(location, e.Offset), "Imports a name that the file computes while loading.", e.FullName,
                "Do not load. No pickler writes this.", Tags);
        }

        return PickleNames.Classify(e.Module, e.Name) switch
        {
            NameTrust.Dangerous => new("pickle.import.dangerous", Severity.High, At(location, e.Offset),
                $"Imports {e.FullName}, which weights never need and which runs code or reaches what does.", e.FullName,
                "Do not load. Ask for safetensors, and report the file to where it came from.", Tags),
            NameTrust.Unlisted => new("pickle.import.unlisted", Severity.Medium, At(location, e.Offset),
                $"Imports {e.FullName}, which is on no list of harmless names.", e.FullName,
                "Do not load before somebody has read what this name does. Prefer safetensors.", Tags),
            NameTrust.Known => new("pickle.import.known", Severity.Low, At(location, e.Offset),
                $"Imports {e.FullName}, a class of a known library whose loading code is not vetted.", e.FullName,
                "Load only from a source you trust.", Tags),
            _ => null,
        };
    }

    private static Finding? Call(PickleEvent e, string location)
    {
        if (e.Resolved && e.Module.Length > 0)
        {
            return PickleNames.Classify(e.Module, e.Name) == NameTrust.Dangerous
                ? new("pickle.call.dangerous", Severity.High, At(location, e.Offset), $"Calls {e.FullName} while loading.", $"{e.FullName}{e.Arguments}",
                    "Do not load. Ask for safetensors, and report the file to where it came from.", Tags)
                : null;
        }

        return new("pickle.call.computed", Severity.Medium, At(location, e.Offset), "Calls something that another call made.", $"{e.FullName}(…){e.Arguments}",
            "Do not load; no pickler of weights writes this.", Tags);
    }

    private static string At(string location, long offset) => $"{location}@{offset}";
}
