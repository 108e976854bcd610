using System.Text;

namespace Temper.Scan.Reports;

/// <summary>The report for people: 80 columns, the worst files first.</summary>
public static class TextReport
{
    private const int Width = 80;

    /// <summary>The report as lines of at most 80 characters.</summary>
    public static string Write(ScanReport report)
    {
        var text = new StringBuilder();
        Wrap(text, 0, $"{Word(report.Verdict)} ({Word(report.Status).ToLowerInvariant()}), {report.Files.Count} file(s)");
        foreach (var file in report.Files.OrderByDescending(f => f.Verdict).ThenBy(f => f.Path, StringComparer.Ordinal))
        {
            text.Append('\n');
            var rest = file.Status == ScanStatus.Complete ? "" : $", {Word(file.Status).ToLowerInvariant()}";
            Wrap(text, 0, $"{Word(file.Verdict)}  {Printable.Escape(file.Path)}  [{file.Format}{rest}]");
            foreach (var finding in file.Findings.OrderByDescending(f => f.Severity))
            {
                Wrap(text, 2, $"{finding.Severity}: {Printable.Escape(finding.Message)}");
                Wrap(text, 4, $"{finding.RuleId} at {Printable.Escape(finding.Location)}");
                if (finding.Evidence.Length > 0)
                {
                    Wrap(text, 4, $"evidence: {Printable.Escape(finding.Evidence)}");
                }

                Wrap(text, 4, $"what to do: {finding.WhatToDo}");
            }
        }

        return text.ToString();
    }

    private static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToUpperInvariant();

    private static void Wrap(StringBuilder text, int indent, string line)
    {
        var room = Width - indent;
        while (line.Length > room)
        {
            var cut = line.LastIndexOf(' ', room);
            cut = cut <= room / 2 ? room : cut;
            text.Append(' ', indent).Append(line.AsSpan(0, cut).TrimEnd()).Append('\n');
            line = line[cut..].TrimStart();
        }

        text.Append(' ', indent).Append(line).Append('\n');
    }
}
