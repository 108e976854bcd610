using System.Text;

namespace Temper.Scan.Reports;

/// <summary>The report for people: 80 columns, what is wrong first, what is fine only counted.</summary>
public static class TextReport
{
    private const int Width = 80;
    private const int MaxFindings = 12;

    /// <summary>The report as lines of at most 80 characters, with ANSI colors where <paramref name="color"/> is set.</summary>
    public static string Write(ScanReport report, bool color = false)
    {
        var text = new StringBuilder();
        var shown = report.Files.Where(f => f.Verdict != Verdict.Clean || f.Findings.Any(x => x.Severity > Severity.Info))
            .OrderByDescending(f => f.Verdict).ThenBy(f => f.Path, StringComparer.Ordinal).ToArray();
        Wrap(text, 0, $"{Paint(Word(report.Verdict), report.Verdict, color)} ({report.Status.ToString().ToLowerInvariant()}): {Counts(report)}");
        foreach (var file in shown)
        {
            text.Append('\n');
            var rest = file.Status == ScanStatus.Complete ? "" : $", {file.Status.ToString().ToLowerInvariant()}";
            Wrap(text, 0, $"{Paint(Word(file.Verdict), file.Verdict, color)}  {Printable.Escape(file.Path)}  [{file.Format}{rest}]");
            Findings(text, file, shown);
        }

        if (shown.Length > 0 && report.Files.Count > shown.Length)
        {
            text.Append('\n');
            Wrap(text, 0, $"The other {report.Files.Count - shown.Length} are clean.");
        }

        return text.ToString();
    }

    /// <summary>What to do about the whole.</summary>
    internal static string Advice(ScanReport report) => (report.Verdict, report.Status) switch
    {
        (Verdict.Malicious, _) => "Do not load these files: at least one would run code of its author's choice.",
        (Verdict.Suspicious, _) => "Do not load these files before somebody has read the findings.",
        (_, not ScanStatus.Complete) => "Not everything could be read: do not take this for clean.",
        (Verdict.Unknown, _) => "Nothing harmful was found, nor that the files are harmless: read the findings.",
        _ => "Nothing was found that loading these files would do beyond loading.",
    };

    internal static string Counts(ScanReport report)
    {
        var parts = report.Files.GroupBy(f => f.Verdict).OrderByDescending(g => g.Key).Select(g => $"{g.Count()} {g.Key.ToString().ToLowerInvariant()}");
        return report.Files.Count == 0 ? "no file found" : $"{report.Files.Count} files, {string.Join(", ", parts)}";
    }

    private static void Findings(StringBuilder text, FileReport file, FileReport[] shown)
    {
        var findings = file.Findings.Where(f => f.Severity > Severity.Info || file.Findings.All(x => x.Severity == Severity.Info)).OrderByDescending(f => f.Severity).ToArray();
        foreach (var finding in findings.Take(MaxFindings))
        {
            Wrap(text, 2, $"{finding.Severity}: {Printable.Escape(finding.Message)}");
            Wrap(text, 4, $"{finding.RuleId} at {Printable.Escape(Place(file, finding))}");
            if (finding.Evidence.Length > 0 && !finding.Message.Contains(finding.Evidence, StringComparison.Ordinal))
            {
                Wrap(text, 4, $"evidence: {Printable.Escape(finding.Evidence)}");
            }
        }

        if (findings.Length > MaxFindings)
        {
            Wrap(text, 2, $"and {findings.Length - MaxFindings} more; --format json shows all");
        }

        foreach (var advice in findings.Where(f => f.Severity == findings[0].Severity).Select(f => f.WhatToDo).Distinct(StringComparer.Ordinal).Take(2))
        {
            Wrap(text, 2, $"What to do: {advice}");
        }

        if (findings.Length == 0 && shown.Any(f => f.Path.StartsWith($"{file.Path}!", StringComparison.Ordinal)))
        {
            Wrap(text, 2, "because of what it holds:");
        }
    }

    internal static string Place(FileReport file, Finding finding) =>
        finding.Location == file.Path ? "the whole file" : finding.Location.StartsWith(file.Path, StringComparison.Ordinal) && finding.Location.Length > file.Path.Length
            ? finding.Location[file.Path.Length] switch { '@' => $"byte {finding.Location[(file.Path.Length + 1)..]}", '#' => finding.Location[(file.Path.Length + 1)..], _ => finding.Location }
            : finding.Location;

    private static string Word(Verdict value) => value.ToString().ToUpperInvariant();

    private static string Paint(string word, Verdict verdict, bool color) =>
        color ? $"\u001b[{verdict switch { Verdict.Malicious => "1;31", Verdict.Suspicious => "1;33", Verdict.Unknown => "1;36", _ => "1;32" }}m{word}\u001b[0m" : word;

    private static void Wrap(StringBuilder text, int indent, string line)
    {
        // Colors stand only in the first word and take no room.
        var room = Width - indent + (line.StartsWith('\u001b') ? 11 : 0);
        while (line.Length > room)
        {
            var cut = line.LastIndexOf(' ', room);
            cut = cut <= room / 2 ? room : cut;
            text.Append(' ', indent).Append(line.AsSpan(0, cut).TrimEnd()).Append('\n');
            line = line[cut..].TrimStart();
            room = Width - indent;
        }

        text.Append(' ', indent).Append(line).Append('\n');
    }
}
