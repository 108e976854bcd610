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
        return new([.. files.Select(f =>
        {
            var family = files.Where(x => x.Old.Path == f.Old.Path || x.Old.Path.StartsWith($"{f.Old.Path}!", StringComparison.Ordinal)).ToArray();
            var changed = family.Any(x => x.Left.Length < x.Old.Findings.Count);
            var verdict = family.SelectMany(x => x.Left).Select(x => Verdicts.Of(x.Severity)).DefaultIfEmpty(Verdict.Clean).Max();
            return changed ? FileReport.From(f.Old.Path, f.Old.Format, f.Old.Status, f.Left, verdict) : f.Old;
        })]);
    }

    private bool IsKnown(FileReport file, Finding finding) => _known.Contains((Printable.Escape(file.Path), finding.RuleId, Printable.Escape(finding.Message)));
}
