using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Temper.Scan.Rules;

namespace Temper.Scan.Reports;

/// <summary>SARIF 2.1.0 for code scanning: the worst results first, since readers cut long lists at their end.</summary>
public static class SarifReport
{
    /// <summary>What GitHub takes in one run.</summary>
    private const int MaxResults = 25_000;
    private const int MaxTags = 20;

    /// <summary>The report; paths are made relative to <paramref name="root"/>.</summary>
    public static string Write(ScanReport report, string root, string toolVersion = "0.1.0")
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new() { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
            json.WriteString("version", "2.1.0");
            json.WriteStartArray("runs");
            json.WriteStartObject();
            var results = Results(report).ToArray();
            var rules = RuleCatalog.All.Where(r => results.Any(x => x.Finding.RuleId == r.Id)).ToArray();
            Tool(json, rules, toolVersion);
            json.WriteString("columnKind", "unicodeCodePoints");
            Invocation(json, report);
            json.WriteStartArray("results");
            foreach (var (file, finding) in results)
            {
                Result(json, file, finding, Array.FindIndex(rules, r => r.Id == finding.RuleId), root);
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static IEnumerable<(FileReport File, Finding Finding)> Results(ScanReport report) => report.Files
        .SelectMany(f => f.Findings.Select(x => (File: f, Finding: x)))
        .OrderByDescending(r => r.Finding.Severity).ThenBy(r => r.File.Path, StringComparer.Ordinal).ThenBy(r => r.Finding.RuleId, StringComparer.Ordinal)
        .Take(MaxResults);

    private static void Tool(Utf8JsonWriter json, Rule[] rules, string version)
    {
        json.WriteStartObject("tool");
        json.WriteStartObject("driver");
        json.WriteString("name", "temper");
        json.WriteString("semanticVersion", version);
        json.WriteStartArray("rules");
        foreach (var rule in rules)
        {
            json.WriteStartObject();
            json.WriteString("id", rule.Id);
            json.WriteString("name", Pascal(rule.Id));
            Message(json, "shortDescription", rule.Title);
            Message(json, "fullDescription", rule.Meaning);
            json.WriteStartObject("help");
            json.WriteString("text", $"{rule.Meaning} {rule.Advice}");
            json.WriteString("markdown", $"{rule.Meaning}\n\n**What to do.** {rule.Advice}");
            json.WriteEndObject();
            json.WriteStartObject("defaultConfiguration");
            json.WriteString("level", Level(rule.Severity));
            json.WriteEndObject();
            json.WriteStartObject("properties");
            json.WriteString("security-severity", Score(rule.Severity));
            json.WriteString("precision", "high");
            json.WriteStartArray("tags");
            foreach (var tag in rule.Tags.Prepend("security").Take(MaxTags))
            {
                json.WriteStringValue(tag.StartsWith("CWE-", StringComparison.Ordinal) ? $"external/cwe/{tag.ToLowerInvariant()}" : tag);
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Invocation(Utf8JsonWriter json, ScanReport report)
    {
        json.WriteStartArray("invocations");
        json.WriteStartObject();
        json.WriteBoolean("executionSuccessful", report.Status != ScanStatus.Error);
        json.WriteStartArray("toolExecutionNotifications");
        foreach (var file in report.Files.Where(f => f.Status != ScanStatus.Complete).Take(1000))
        {
            json.WriteStartObject();
            Message(json, "message", $"{Printable.Escape(file.Path)}: {(file.Status == ScanStatus.Error ? "could not be opened" : "was not read to its end")}");
            json.WriteString("level", file.Status == ScanStatus.Error ? "error" : "warning");
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void Result(Utf8JsonWriter json, FileReport file, Finding finding, int ruleIndex, string root)
    {
        var outer = file.Path.Split('!')[0];
        var relative = Path.IsPathRooted(outer) || !Path.IsPathRooted(root) ? Path.GetRelativePath(root, outer) : outer;
        json.WriteStartObject();
        json.WriteString("ruleId", finding.RuleId);
        if (ruleIndex >= 0)
        {
            json.WriteNumber("ruleIndex", ruleIndex);
        }

        json.WriteString("level", Level(finding.Severity));
        json.WriteString("kind", finding.Severity == Severity.Info ? "informational" : "fail");
        Message(json, "message", $"{Printable.Escape(finding.Message)}{(finding.Evidence.Length > 0 ? $" Evidence: {Printable.Escape(finding.Evidence)}" : "")} {finding.WhatToDo}");
        json.WriteStartArray("locations");
        json.WriteStartObject();
        json.WriteStartObject("physicalLocation");
        json.WriteStartObject("artifactLocation");
        json.WriteString("uri", string.Join('/', relative.Replace('\\', '/').Split('/').Select(Uri.EscapeDataString)));
        json.WriteEndObject();
        json.WriteStartObject("region");
        json.WriteNumber("startLine", 1);
        if (Offset(finding.Location) is { } offset && !file.Path.Contains('!', StringComparison.Ordinal))
        {
            json.WriteNumber("byteOffset", offset);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartArray("logicalLocations");
        json.WriteStartObject();
        json.WriteString("fullyQualifiedName", Printable.Escape(finding.Location));
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartObject("partialFingerprints");
        json.WriteString("temper/v1", Fingerprint(relative, finding));
        json.WriteEndObject();
        json.WriteStartObject("properties");
        json.WriteString("security-severity", Score(finding.Severity));
        json.WriteString("verdict", file.Verdict.ToString().ToLowerInvariant());
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>The same for the same finding in the same file, wherever its bytes moved to.</summary>
    internal static string Fingerprint(string path, Finding finding) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{path.Replace('\\', '/')}\n{finding.RuleId}\n{finding.Evidence}\n{finding.Message}")))[..32];

    private static long? Offset(string location)
    {
        var at = location.LastIndexOf('@');
        return at >= 0 && long.TryParse(location.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var offset) ? offset : null;
    }

    private static void Message(Utf8JsonWriter json, string name, string text)
    {
        json.WriteStartObject(name);
        json.WriteString("text", text);
        json.WriteEndObject();
    }

    private static string Level(Severity severity) => severity switch { Severity.High => "error", Severity.Medium => "warning", Severity.Low => "note", _ => "none" };

    private static string Score(Severity severity) => severity switch { Severity.High => "9.0", Severity.Medium => "6.5", Severity.Low => "3.0", _ => "0.0" };

    private static string Pascal(string id) => string.Concat(id.Split('.', '-').Select(w => char.ToUpperInvariant(w[0]) + w[1..]));
}
