using System.Text.Json;
using System.Text.Json.Serialization;
using Temper.Scan.Adapters;
using Temper.Scan.Data;

namespace Temper.Scan.Reports;

/// <summary>The report for programs.</summary>
public static class JsonReport
{
    /// <summary>The report as JSON, schema version 1.</summary>
    public static string Write(ScanReport report, string toolVersion = "0.1.0")
    {
        var files = report.Files.Select(f => new JsonFile(
            Printable.Escape(f.Path), f.Format, Word(f.Status), Word(f.Verdict), [.. f.Findings.Select(x => new JsonFinding(
                x.RuleId, Word(x.Severity), Printable.Escape(x.Location), Printable.Escape(x.Message), Printable.Escape(x.Evidence)))], f.Data is null ? null : Escaped(f.Data)));
        var root = new JsonRoot(1, new JsonTool("temper", toolVersion), new JsonSummary(Word(report.Verdict), Word(report.Status), report.Files.Count), [.. files], [.. report.Adapters.Select(Adapter)]);
        return JsonSerializer.Serialize(root, JsonReportContext.Default.JsonRoot);
    }

    private static JsonAdapter Adapter(AdapterSpectrum adapter) => new(Printable.Escape(adapter.Path), Printable.Escape(adapter.Base), adapter.Dispersion, adapter.NotMeasured,
        [.. adapter.Modules.Select(m => new JsonModule(Printable.Escape(m.Module), m.Rows, m.Columns, m.Rank, m.Spectrum.Leading, m.Spectrum.Frobenius, m.Spectrum.EnergyShare, m.Spectrum.Entropy, m.Spectrum.Kurtosis))],
        adapter.Cohort is { } c ? new(c.N, c.Of, c.Score, c.P, c.Outlier, c.Deviations) : null);

    private static DataProfile Escaped(DataProfile data) => data with
    {
        Answers = [.. data.Answers.Select(a => a with { Text = Printable.Escape(a.Text) })],
        Triggers = [.. data.Triggers.Select(t => t with { Name = Printable.Escape(t.Name), Answer = Printable.Escape(t.Answer) })],
        Worst = [.. data.Worst.Select(w => w with { Why = Printable.Escape(w.Why), Text = Printable.Escape(w.Text) })],
    };

    private static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}

internal sealed record JsonRoot(int SchemaVersion, JsonTool Tool, JsonSummary Summary, IReadOnlyList<JsonFile> Files, IReadOnlyList<JsonAdapter> Adapters);

internal sealed record JsonTool(string Name, string Version);

internal sealed record JsonSummary(string Verdict, string Status, int Files);

internal sealed record JsonFile(string Path, string Format, string Status, string Verdict, IReadOnlyList<JsonFinding> Findings,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DataProfile? Data = null);

internal sealed record JsonFinding(string RuleId, string Severity, string Location, string Message, string Evidence);

internal sealed record JsonAdapter(string Path, string Base, double Dispersion, int NotMeasured, IReadOnlyList<JsonModule> Modules, JsonCohort? Cohort);

internal sealed record JsonModule(
    string Name, long Rows, long Columns, int Rank, double LeadingSingularValue, double FrobeniusNorm, double EnergyShare, double Entropy, double Kurtosis);

internal sealed record JsonCohort(int N, int Of, double? Score, double? P, bool? Outlier, IReadOnlyList<FeatureDeviation> Deviations);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(JsonRoot))]
internal sealed partial class JsonReportContext : JsonSerializerContext;
