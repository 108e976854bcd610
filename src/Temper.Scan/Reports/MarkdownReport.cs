using System.Text;

namespace Temper.Scan.Reports;

/// <summary>The report for a pull request or an issue.</summary>
public static class MarkdownReport
{
    private const int MaxFiles = 200;

    /// <summary>The report as Markdown; what files wrote stands in code and cannot become markup.</summary>
    public static string Write(ScanReport report)
    {
        var text = new StringBuilder();
        var bad = report.Files.Where(f => f.Verdict != Verdict.Clean).OrderByDescending(f => f.Verdict).ThenBy(f => f.Path, StringComparer.Ordinal).ToArray();
        text.Append("# Artifact scan: **").Append(report.Verdict.ToString().ToLowerInvariant()).Append("** (").Append(report.Status.ToString().ToLowerInvariant()).Append(")\n\n");
        text.Append(report.Files.Count).Append(" files and members, ").Append(bad.Length).Append(" not clean.\n");
        if (bad.Length > 0)
        {
            text.Append("\n| verdict | file | format | finding | what to do |\n|---|---|---|---|---|\n");
        }

        foreach (var file in bad.Take(MaxFiles))
        {
            var worst = file.Findings.OrderByDescending(f => f.Severity).FirstOrDefault();
            text.Append("| ").Append(file.Verdict.ToString().ToLowerInvariant()).Append(" | ").Append(Code(file.Path)).Append(" | ").Append(file.Format).Append(" | ")
                .Append(worst is null ? "see its members" : $"{Code(worst.RuleId)} {Code(worst.Message)}").Append(" | ").Append(worst?.WhatToDo ?? "").Append(" |\n");
        }

        if (bad.Length > MaxFiles)
        {
            text.Append("\nand ").Append(bad.Length - MaxFiles).Append(" more.\n");
        }

        return text.ToString();
    }

    private static string Code(string text) => $"`{Printable.Escape(text).Replace('`', '\'').Replace("|", "\\|", StringComparison.Ordinal)}`";
}
