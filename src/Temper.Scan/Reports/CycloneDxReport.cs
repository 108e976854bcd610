using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Temper.Formats.Json;
using Temper.Scan.Folders;
using Temper.Scan.Provenance;

namespace Temper.Scan.Reports;

/// <summary>A CycloneDX 1.6 ML-BOM of one folder: the model with its card, and its files with digests and verdicts.</summary>
public static class CycloneDxReport
{
    /// <summary>The bill of materials; its serial number follows from the digests, so that the same folder gives the same text.</summary>
    public static string Write(ScanReport report, string folder, CancellationToken cancellation)
    {
        var files = FileDigests.Compute(folder, [], cancellation);
        var model = ModelFolder.Open(folder);
        var config = model.Json("config.json");
        var adapter = model.Json("adapter_config.json");
        var all = SHA256.HashData(files.SelectMany(f => f.Sha256).ToArray());
        var reports = report.Files.DistinctBy(r => r.Path, StringComparer.Ordinal).ToDictionary(r => Path.GetFullPath(r.Path), StringComparer.Ordinal);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new() { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json");
            json.WriteString("bomFormat", "CycloneDX");
            json.WriteString("specVersion", "1.6");
            json.WriteString("serialNumber", $"urn:uuid:{new Guid(all.AsSpan(0, 16), bigEndian: true)}");
            json.WriteNumber("version", 1);
            json.WriteStartObject("metadata");
            json.WriteStartObject("component");
            Model(json, Path.GetFileName(Path.GetFullPath(folder).TrimEnd(Path.DirectorySeparatorChar)), config, adapter, all, report);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteStartArray("components");
            foreach (var file in files)
            {
                Component(json, file, reports.GetValueOrDefault(Path.GetFullPath(Path.Combine(folder, file.Name))));
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Model(Utf8JsonWriter json, string name, JsonTree? config, JsonTree? adapter, byte[] digest, ScanReport report)
    {
        json.WriteString("type", "machine-learning-model");
        json.WriteString("bom-ref", "model");
        json.WriteString("name", name);
        Hash(json, digest);
        if (adapter?["base_model_name_or_path"]?.String is { Length: > 0 } @base)
        {
            json.WriteStartObject("pedigree");
            json.WriteStartArray("ancestors");
            json.WriteStartObject();
            json.WriteString("type", "machine-learning-model");
            json.WriteString("name", Printable.Escape(@base));
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteStartObject("modelCard");
        json.WriteStartObject("modelParameters");
        if ((adapter?["task_type"] ?? adapter?["peft_type"])?.String is { } task)
        {
            json.WriteString("task", Printable.Escape(task));
        }

        if (config?["model_type"]?.String is { } family)
        {
            json.WriteString("architectureFamily", Printable.Escape(family));
        }

        if (config?["architectures"]?.Items.FirstOrDefault()?.String is { } architecture)
        {
            json.WriteString("modelArchitecture", Printable.Escape(architecture));
        }

        json.WriteEndObject();
        json.WriteEndObject();
        Properties(json, report.Verdict, report.Status, "model");
    }

    private static void Component(Utf8JsonWriter json, FileDigest file, FileReport? report)
    {
        json.WriteStartObject();
        json.WriteString("type", "file");
        json.WriteString("bom-ref", Printable.Escape(file.Name));
        json.WriteString("name", Printable.Escape(file.Name));
        Hash(json, file.Sha256);
        Properties(json, report?.Verdict ?? Verdict.Unknown, report?.Status ?? ScanStatus.Inconclusive, report?.Format ?? "unknown");
        json.WriteEndObject();
    }

    private static void Hash(Utf8JsonWriter json, byte[] digest)
    {
        json.WriteStartArray("hashes");
        json.WriteStartObject();
        json.WriteString("alg", "SHA-256");
        json.WriteString("content", Convert.ToHexStringLower(digest));
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void Properties(Utf8JsonWriter json, Verdict verdict, ScanStatus status, string format)
    {
        json.WriteStartArray("properties");
        foreach (var (name, value) in ((string, string)[])[("temper:verdict", verdict.ToString().ToLowerInvariant()), ("temper:status", status.ToString().ToLowerInvariant()), ("temper:format", format)])
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("value", value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
