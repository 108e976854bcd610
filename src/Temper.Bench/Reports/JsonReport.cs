using System.Text.Json;
using System.Text.Json.Serialization;
using Temper.Core;

namespace Temper.Bench.Reports;

/// <summary>The report as data, read back by <see cref="Read"/>.</summary>
public static class JsonReport
{
    public static string Write(StudyReport report) =>
        JsonSerializer.Serialize(report with { Cells = StudyGrid.InOrder(report.Cells) }, StudyReportJson.Default.StudyReport) + "\n";

    public static StudyReport Read(string json)
    {
        StudyReport? report;
        try
        {
            report = JsonSerializer.Deserialize(json, StudyReportJson.Default.StudyReport);
        }
        catch (JsonException e)
        {
            throw new TemperException($"the report is not readable: {e.Message}", e);
        }

        return report switch
        {
            null => throw new TemperException("the report is JSON null, expected a study report"),
            { SchemaVersion: not StudyReport.CurrentSchema } => throw new TemperException(
                $"the report has schema version {report.SchemaVersion}, expected {StudyReport.CurrentSchema}"),
            _ => report,
        };
    }
}

// A diverged loss is NaN and must survive; a missing member must be an error and not a silent null.
[JsonSourceGenerationOptions(
    WriteIndented = true, NewLine = "\n", PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(StudyReport))]
internal sealed partial class StudyReportJson : JsonSerializerContext;
