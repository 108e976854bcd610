using Temper.Core;
using Temper.Formats.Json;

namespace Temper.Scan.Reports;

/// <summary>An earlier JSON report whose findings are known and accepted.</summary>
public sealed class Baseline
{
    private readonly HashSet<(string Path, string Rule, string Message)> _known = [];

    /// <summary>Reads a report of <see cref="JsonReport"/>.</summary>
    public static Baseline Read(string path)
    {
        JsonTree root;
        try
        {
            root = JsonTreeReader.Read(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonTreeException)
        {
            throw new TemperException($"--baseline {path}: found no JSON report ({e.Message}), expected one of temper scan --format json", e);
        }

        if (root["schemaVersion"]?.Integer != 1 || root["files"] is not { } files)
        {
            throw new TemperException($"--baseline {path}: found no schemaVersion 1 with files, expected a report of temper scan --format json");
        }

        var baseline = new Baseline();
        foreach (var file in files.Items)
        {
            foreach (var finding in file["findings"]?.Items ?? [])
            {
                baseline._known.Add((file["path"]?.String ?? "", finding["ruleId"]?.String ?? "", finding["message"]?.String ?? ""));
            }
        }

        return baseline;
    }

    /// <summary>The report without known findings; a file is only better for it where every finding of it and of its members is known.</summary>
    public ScanReport Without(ScanReport report)
    {
        var files = report.Files.Select(f => (Old: f, Left: f.Findings.Where(x => !IsKnown(f, x)).ToArray())).ToArray();
        var families = new Dictionary<string, (bool Changed, Verdict Verdict)>(StringComparer.Ordinal);
        foreach (var (old, left) in files)
        {
            var verdict = left.Select(x => Verdicts.Of(x.Severity)).DefaultIfEmpty(Verdict.Clean).Max();
            foreach (var path in Outer(old.Path))
            {
                var (changed, worst) = families.GetValueOrDefault(path);
                families[path] = (changed || left.Length < old.Findings.Count, Verdicts.Worst(worst, verdict));
            }
        }

        return report with { Files = [.. files.Select(f => families[f.Old.Path] is { Changed: true } family ? FileReport.From(f.Old.Path, f.Old.Format, f.Old.Status, f.Left, family.Verdict) with { Data = f.Old.Data } : f.Old)] };
    }

    // The file itself and every archive around it.
    private static IEnumerable<string> Outer(string path)
    {
        yield return path;
        for (var at = path.LastIndexOf('!'); at > 0; at = path.LastIndexOf('!', at - 1))
        {
            yield return path[..at];
        }
    }

    private bool IsKnown(FileReport file, Finding finding) => _known.Contains((Printable.Escape(file.Path), finding.RuleId, Printable.Escape(finding.Message)));
}
