using System.CommandLine;
using Temper.Cli.Commands;
using Temper.Core;
using Temper.Scan;

namespace Temper.Cli;

/// <summary>Scan before load: what the scan calls malicious is not loaded, unless every rule that says so is named.</summary>
internal static class LoadGate
{
    public static Option<string[]> Accept() => new("--accept") { Description = "The id of a rule whose malicious finding you have read and accept; once for each rule" };

    /// <summary>Scans a model's folder, and an adapter's against it; says on standard error what was found.</summary>
    /// <returns>Whether they may be loaded.</returns>
    public static bool Admits(string folder, string? adapter, IReadOnlyCollection<string> accepted, CancellationToken cancellationToken)
    {
        foreach (var (path, what) in (IEnumerable<(string?, string)>)[(folder, "the model's"), (adapter, "the adapter's")])
        {
            if (path is not null && !Directory.Exists(path))
            {
                throw new TemperException($"{path}: found no folder, expected {what}");
            }
        }

        var own = Admits(folder, new ScanOptions(), accepted, cancellationToken);
        return (adapter is null || Admits(adapter, new ScanOptions { BaseFolder = folder }, accepted, cancellationToken)) && own;
    }

    private static bool Admits(string folder, ScanOptions options, IReadOnlyCollection<string> accepted, CancellationToken cancellationToken)
    {
        ScanReport report;
        using (var line = new ScanProgressLine())
        {
            report = Scanner.Scan([folder], options with { Progress = line.Report }, cancellationToken);
        }

        if (report.Verdict < Verdict.Suspicious)
        {
            return true;
        }

        var grave = report.Files.SelectMany(f => f.Findings).Where(f => Verdicts.Of(f.Severity) == report.Verdict).ToList();
        var refused = report.Verdict == Verdict.Malicious ? grave.Where(f => !accepted.Contains(f.RuleId, StringComparer.Ordinal)).ToList() : [];
        foreach (var finding in (refused.Count > 0 ? refused : grave).DistinctBy(f => (f.RuleId, f.Location)).Take(20))
        {
            Console.Error.WriteLine($"{finding.RuleId}  {TerminalText.Line(finding.Location)}: {TerminalText.Line(finding.Message)}");
        }

        Console.Error.WriteLine(refused.Count > 0
            ? $"temper: {folder}: malicious, not loaded. See temper scan; to load it all the same: {string.Join(' ', refused.Select(f => $"--accept {f.RuleId}").Distinct(StringComparer.Ordinal))}"
            : $"temper: {folder}: {report.Verdict.ToString().ToLowerInvariant()}{(report.Verdict == Verdict.Malicious ? ", accepted" : "")}; see temper scan");
        return refused.Count == 0;
    }
}
