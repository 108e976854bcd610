using System.Text.Json;
using Temper.Core;

namespace Temper.Engine.Models;

/// <summary>Bounds-checked fields of a config.json; every complaint names file, field, found and expected.</summary>
internal sealed class ConfigReader(string path, JsonElement root)
{
    public TemperException Error(string field, string found, string expected) => new($"{path}: {field}: found {found}, expected {expected}");

    public string Text(string field) =>
        Get(root, field) is { ValueKind: JsonValueKind.String } e ? e.GetString()! : throw Error(field, Show(Get(root, field)), "a string");

    public int Integer(string field, int low, int high, int? fallback = null) => Integer(root, field, low, high, fallback);

    public double Number(string field, double low, double high, double? fallback = null) => Number(root, field, low, high, fallback);

    public bool Flag(string field, bool fallback) => Get(root, field) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        var e => throw Error(field, Show(e), "true or false"),
    };

    /// <summary>A field with one supported value; absent is that value.</summary>
    public void Expect(string field, object supported)
    {
        var wanted = JsonSerializer.Serialize(supported);
        if (Get(root, field) is { } e && e.GetRawText() != wanted)
        {
            throw Error(field, Show(e), wanted);
        }
    }

    public double RopeTheta()
    {
        var owner = Get(root, "rope_parameters") is { ValueKind: JsonValueKind.Object } r && Get(r, "rope_theta") is not null ? r : root;
        return Number(owner, "rope_theta", 1, 1e12, 10_000);
    }

    public RopeScaling? Rope()
    {
        if ((Get(root, "rope_parameters") ?? Get(root, "rope_scaling")) is not { } e)
        {
            return null;
        }

        if (e.ValueKind != JsonValueKind.Object)
        {
            throw Error("rope_parameters", Show(e), "an object");
        }

        var kind = (Get(e, "rope_type") ?? Get(e, "type"))?.ToString() ?? "default";
        return kind switch
        {
            "default" => null,
            "llama3" => new(
                Number(e, "factor", 1, 1e6),
                Number(e, "low_freq_factor", 1e-6, 1e6),
                Number(e, "high_freq_factor", 1e-6, 1e6),
                Integer(e, "original_max_position_embeddings", 1, 1 << 24, null)),
            _ => throw Error("rope_type", $"\"{kind}\"", "one of: default, llama3"),
        };
    }

    private int Integer(JsonElement owner, string field, int low, int high, int? fallback)
    {
        if (Get(owner, field) is not { } e)
        {
            return fallback ?? throw Error(field, "nothing", $"a whole number from {low} to {high}");
        }

        return e.ValueKind == JsonValueKind.Number && e.TryGetInt32(out var value) && value >= low && value <= high
            ? value
            : throw Error(field, Show(e), $"a whole number from {low} to {high}");
    }

    private double Number(JsonElement owner, string field, double low, double high, double? fallback = null)
    {
        if (Get(owner, field) is not { } e)
        {
            return fallback ?? throw Error(field, "nothing", $"a number from {low} to {high}");
        }

        return e.ValueKind == JsonValueKind.Number && e.TryGetDouble(out var value) && value >= low && value <= high
            ? value
            : throw Error(field, Show(e), $"a number from {low} to {high}");
    }

    private JsonElement? Get(JsonElement owner, string field) =>
        owner.ValueKind != JsonValueKind.Object ? throw new TemperException($"{path}: found {Show(owner)}, expected an object")
        : owner.TryGetProperty(field, out var e) && e.ValueKind != JsonValueKind.Null ? e : null;

    private static string Show(JsonElement? e) => e?.GetRawText() is { } raw ? raw.Length > 60 ? raw[..60] + "…" : raw : "nothing";
}
