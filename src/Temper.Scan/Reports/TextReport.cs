using System.Text;

namespace Temper.Scan.Reports;

/// <summary>The report for people: what is wrong first, what is fine only counted, what to do last.</summary>
public static class TextReport
{
    private const int MaxFindings = 12;
    private const int MaxFiles = 50;
    private const int MaxWorst = 3;

    /// <summary>The report as lines of at most <paramref name="width"/> characters, with ANSI colors where <paramref name="color"/> is set.</summary>
    public static string Write(ScanReport report, bool color = false, int width = 80)
    {
        var text = new Lines(width);
        var shown = report.Files.Where(f => f.Verdict != Verdict.Clean || f.Findings.Any(x => x.Severity > Severity.Info))
            .OrderByDescending(f => f.Verdict).ThenBy(f => f.Path, StringComparer.Ordinal).ToArray();
        text.Add(0, $"{Paint(Word(report.Verdict), report.Verdict, color)}{Status(report.Status)}  {Counts(report)}");
        foreach (var file in shown.Take(MaxFiles))
        {
            text.Blank();
            text.Add(0, $"{Paint(Word(file.Verdict), file.Verdict, color)}  {Printable.Escape(file.Path)}  [{file.Format}]{Status(file.Status)}");
            Findings(text, file, shown);
        }

        if (shown.Length > 0)
        {
            text.Blank();
            text.Add(0, shown.Length > MaxFiles ? $"And {shown.Length - MaxFiles} more that are not clean; --format html or json shows all." : "");
            text.Add(0, report.Files.Except(shown).Count(f => !IsMember(f)) switch { 0 => "", 1 => "The other one is clean.", var n => $"The other {n} are clean." });
            Worst(text, report, color);
            text.Add(0, Advice(report));
        }

        return text.ToString();
    }

    // A terminal shows the end: what is worst must not have scrolled away.
    private static void Worst(Lines text, ScanReport report, bool color)
    {
        var worst = report.Files.Where(f => f.Verdict == report.Verdict && !IsMember(f)).ToArray();
        foreach (var file in worst.Take(report.Files.Count == 1 ? 0 : MaxWorst))
        {
            text.Add(0, $"{Paint(Word(file.Verdict), file.Verdict, color)}  {Printable.Escape(file.Path)}{(worst.Length > MaxWorst && file == worst[MaxWorst - 1] ? $" and {worst.Length - MaxWorst} more" : "")}");
        }
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
        if (report.Files.Count == 0)
        {
            return "no file found";
        }

        // An archive has the worst verdict of its members, so that counting both would count one fault twice.
        var files = report.Files.Where(f => !IsMember(f)).ToArray();
        var verdicts = string.Join(", ", files.GroupBy(f => f.Verdict).OrderByDescending(g => g.Key).Select(g => $"{g.Count()} {g.Key.ToString().ToLowerInvariant()}"));
        return $"{Count(files.Length, "file")}: {verdicts}{(files.Length < report.Files.Count ? $" ({Count(report.Files.Count - files.Length, "member")})" : "")}";
    }

    private static bool IsMember(FileReport file) => file.Path.Contains('!', StringComparison.Ordinal);

    private static string Count(int n, string what) => $"{n} {what}{(n == 1 ? "" : "s")}";

    /// <summary>Whether a file is as bad as it is only for a member that is listed too.</summary>
    internal static bool IsForMembers(FileReport file, IEnumerable<FileReport> shown) =>
        file.Findings.All(f => Verdicts.Of(f.Severity) < file.Verdict) && shown.Any(f => f.Path.StartsWith($"{file.Path}!", StringComparison.Ordinal));

    private static void Findings(Lines text, FileReport file, FileReport[] shown)
    {
        if (IsForMembers(file, shown))
        {
            text.Add(2, "Because of what it holds, below.");
        }

        var findings = file.Findings.Where(f => f.Severity > Severity.Info).OrderByDescending(f => f.Severity).ToArray();
        findings = findings.Length == 0 && file.Verdict != Verdict.Clean ? [.. file.Findings] : findings;
        foreach (var finding in findings.Take(MaxFindings))
        {
            text.Add(2, $"{finding.Severity}: {Printable.Escape(finding.Message)}");
            text.Add(4, $"{finding.RuleId} at {Printable.Escape(Place(file, finding))}");
            if (IsNews(finding))
            {
                text.Add(4, $"evidence: {Printable.Escape(finding.Evidence)}");
            }
        }

        if (findings.Length > MaxFindings)
        {
            text.Add(2, $"and {findings.Length - MaxFindings} more; --format html or json shows all");
        }

        foreach (var advice in findings.Where(f => f.Severity == findings[0].Severity).Select(f => f.WhatToDo).Distinct(StringComparer.Ordinal).Take(2))
        {
            text.Add(2, $"What to do: {advice}");
        }
    }

    /// <summary>Whether the evidence says more than message and place do.</summary>
    internal static bool IsNews(Finding finding) =>
        !finding.Message.Contains(finding.Evidence, StringComparison.Ordinal) && !finding.Location.EndsWith($"#{finding.Evidence}", StringComparison.Ordinal);

    internal static string Place(FileReport file, Finding finding) =>
        finding.Location == file.Path ? "the whole file" : finding.Location.StartsWith(file.Path, StringComparison.Ordinal) && finding.Location.Length > file.Path.Length
            ? finding.Location[file.Path.Length] switch { '@' => $"byte {finding.Location[(file.Path.Length + 1)..]}", '#' => finding.Location[(file.Path.Length + 1)..], _ => finding.Location }
            : finding.Location;

    private static string Status(ScanStatus status) => status == ScanStatus.Complete ? "" : $" ({status.ToString().ToLowerInvariant()})";

    private static string Word(Verdict value) => value.ToString().ToUpperInvariant();

    private static string Paint(string word, Verdict verdict, bool color) =>
        color ? $"\u001b[{verdict switch { Verdict.Malicious => "1;31", Verdict.Suspicious => "1;33", Verdict.Unknown => "1;36", _ => "1;32" }}m{word}\u001b[0m" : word;

    // Wraps at words; an empty line is left out.
    private sealed class Lines(int width)
    {
        private readonly StringBuilder _text = new();

        public void Blank() => _text.Append('\n');

        public void Add(int indent, string line)
        {
            if (line.Length == 0)
            {
                return;
            }

            // Colors stand only in the first word and take no room.
            var room = width - indent + (line.StartsWith('\u001b') ? 11 : 0);
            while (line.Length > room)
            {
                var cut = line.LastIndexOf(' ', room);
                cut = cut <= room / 2 ? room : cut;
                _text.Append(' ', indent).Append(line.AsSpan(0, cut).TrimEnd()).Append('\n');
                line = line[cut..].TrimStart();
                room = width - indent;
            }

            _text.Append(' ', indent).Append(line).Append('\n');
        }

        public override string ToString() => _text.ToString();
    }
}
