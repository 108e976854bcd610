using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Temper.Core;
using Temper.Formats.Json;
using Temper.Scan.Reports;

namespace Temper.Scan.Provenance;

/// <summary>
/// The signed manifest of a model folder in the layout of OpenSSF model signing v1: a Sigstore bundle around a DSSE envelope around an in-toto statement,
/// whose one subject is the digest over all files' digests.
/// </summary>
public static class ModelSignature
{
    private const string PayloadType = "application/vnd.in-toto+json";
    private const string PredicateType = "https://model_signing/signature/v1.0";

    /// <summary>The bundle for <paramref name="folder"/>, signed with a private key in PEM.</summary>
    public static string Create(string folder, string keyPem, IReadOnlyCollection<string> ignore, CancellationToken cancellation)
    {
        using var key = SigningKey.Read(keyPem);
        var payload = Statement(Path.GetFileName(Path.GetFullPath(folder).TrimEnd(Path.DirectorySeparatorChar)), FileDigests.Compute(folder, ignore, cancellation));
        var signature = key.Sign(Envelope(payload));
        return Json(json =>
        {
            json.WriteString("mediaType", "application/vnd.dev.sigstore.bundle.v0.3+json");
            json.WriteStartObject("verificationMaterial");
            json.WriteStartObject("publicKey");
            json.WriteString("hint", Convert.ToHexStringLower(SHA256.HashData(key.PublicInfo)));
            json.WriteEndObject();
            json.WriteStartArray("tlogEntries");
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteStartObject("dsseEnvelope");
            json.WriteString("payload", Convert.ToBase64String(payload));
            json.WriteString("payloadType", PayloadType);
            json.WriteStartArray("signatures");
            json.WriteStartObject();
            json.WriteString("sig", Convert.ToBase64String(signature));
            json.WriteString("keyid", "");
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    /// <summary>What does not hold, one sentence each; empty where signature and every file do.</summary>
    public static IReadOnlyList<string> Verify(string folder, string bundle, string keyPem, IReadOnlyCollection<string> ignore, CancellationToken cancellation)
    {
        using var key = SigningKey.Read(keyPem);
        var (payload, signature) = Open(bundle);
        if (!key.Verify(Envelope(payload), signature))
        {
            return ["The signature is not of this key: the manifest was changed or another key signed it."];
        }

        var statement = Parse(payload, "the signed statement");
        if (statement["predicateType"]?.String != PredicateType || statement["predicate"]?["resources"] is not { } resources || statement["predicate"]?["serialization"]?["method"]?.String is not "files")
        {
            return [$"Found a statement of type {statement["predicateType"]?.Text}, expected {PredicateType} over files."];
        }

        return [.. Compare(statement, resources, FileDigests.Compute(folder, ignore, cancellation))];
    }

    private static IEnumerable<string> Compare(JsonTree statement, JsonTree resources, IReadOnlyList<FileDigest> found)
    {
        var expected = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var resource in resources.Items)
        {
            expected[resource["name"]?.String ?? ""] = resource["algorithm"]?.String == "sha256" ? resource["digest"]?.String ?? "" : "";
        }

        var all = SHA256.HashData(expected.Values.SelectMany(Bytes).ToArray());
        if (statement["subject"]?.Items.FirstOrDefault()?["digest"]?["sha256"]?.String != Convert.ToHexStringLower(all))
        {
            yield return "The subject's digest is not that of the listed files.";
        }

        foreach (var file in found)
        {
            if (!expected.Remove(file.Name, out var digest))
            {
                yield return $"{Printable.Escape(file.Name)}: found a file, expected none of this name.";
            }
            else if (digest != Convert.ToHexStringLower(file.Sha256))
            {
                yield return $"{Printable.Escape(file.Name)}: found SHA-256 {Convert.ToHexStringLower(file.Sha256)}, expected {Printable.Escape(digest)}.";
            }
        }

        foreach (var name in expected.Keys)
        {
            yield return $"{Printable.Escape(name)}: found no file, expected one.";
        }
    }

    private static byte[] Bytes(string hex) => hex.Length % 2 == 0 && hex.All(char.IsAsciiHexDigit) ? Convert.FromHexString(hex) : [];

    private static byte[] Statement(string name, IReadOnlyList<FileDigest> files) => Encoding.UTF8.GetBytes(Json(json =>
    {
        json.WriteString("_type", "https://in-toto.io/Statement/v1");
        json.WriteStartArray("subject");
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteStartObject("digest");
        json.WriteString("sha256", Convert.ToHexStringLower(SHA256.HashData(files.SelectMany(f => f.Sha256).ToArray())));
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteString("predicateType", PredicateType);
        json.WriteStartObject("predicate");
        json.WriteStartObject("serialization");
        json.WriteString("method", "files");
        json.WriteString("hash_type", "sha256");
        json.WriteBoolean("allow_symlinks", false);
        json.WriteStartArray("ignore_paths");
        foreach (var ignored in FileDigests.AlwaysIgnored)
        {
            json.WriteStringValue(ignored);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteStartArray("resources");
        foreach (var file in files)
        {
            json.WriteStartObject();
            json.WriteString("name", file.Name);
            json.WriteString("algorithm", "sha256");
            json.WriteString("digest", Convert.ToHexStringLower(file.Sha256));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }));

    // DSSE's pre-authentication encoding: what is signed names its own type and lengths.
    private static byte[] Envelope(byte[] payload) => [.. Encoding.UTF8.GetBytes($"DSSEv1 {PayloadType.Length} {PayloadType} {payload.Length} "), .. payload];

    private static (byte[] Payload, byte[] Signature) Open(string bundle)
    {
        var root = Parse(Encoding.UTF8.GetBytes(bundle), "the signature file");
        var envelope = root["dsseEnvelope"];
        if (envelope?["payloadType"]?.String != PayloadType || envelope["payload"]?.String is not { } payload || envelope["signatures"]?.Items.FirstOrDefault()?["sig"]?.String is not { } signature)
        {
            throw new TemperException($"the signature file: found no DSSE envelope of type {PayloadType}, expected one");
        }

        try
        {
            return (Convert.FromBase64String(payload), Convert.FromBase64String(signature));
        }
        catch (FormatException e)
        {
            throw new TemperException("the signature file: found text that is no base64, expected payload and signature in base64", e);
        }
    }

    private static JsonTree Parse(byte[] text, string what)
    {
        try
        {
            return JsonTreeReader.Read(text);
        }
        catch (JsonTreeException e)
        {
            throw new TemperException($"{what}: {e.Message}", e);
        }
    }

    private static string Json(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
