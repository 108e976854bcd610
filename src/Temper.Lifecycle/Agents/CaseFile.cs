using System.Text.Json;
using Temper.Core;

namespace Temper.Lifecycle.Agents;

/// <summary>Reads published case files strictly: bounded, every mistake with its file and place.</summary>
internal static class CaseFile
{
    private const long MaxBytes = 64 << 20;
    private const int MaxText = 1 << 16;
    private static readonly JsonDocumentOptions s_json = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    /// <summary>The cases of a JSON list.</summary>
    public static IReadOnlyList<T> List<T>(string path, Func<CaseFields, T> read)
    {
        using var json = Parse(path, Text(path));
        return json.RootElement.ValueKind == JsonValueKind.Array
            ? [.. json.RootElement.EnumerateArray().Select((e, i) => read(new(e, $"{path}: case {i}")))]
            : throw new TemperException($"{path}: found {json.RootElement.ValueKind}, expected a list of cases");
    }

    /// <summary>The cases of a file with one JSON object a line.</summary>
    public static IReadOnlyList<T> Lines<T>(string path, Func<CaseFields, T> read) =>
    [
        .. Text(path).Split('\n').Select((text, i) => (Text: text, Place: $"{path}: line {i + 1}")).Where(l => !string.IsNullOrWhiteSpace(l.Text)).Select(l =>
        {
            using var json = Parse(l.Place, l.Text);
            return read(new(json.RootElement, l.Place));
        }),
    ];

    /// <summary>The one object of a file.</summary>
    public static T Object<T>(string path, Func<CaseFields, T> read)
    {
        using var json = Parse(path, Text(path));
        return read(new(json.RootElement, path));
    }

    private static string Text(string path)
    {
        try
        {
            return new FileInfo(path) is { Exists: true, Length: > MaxBytes } big
                ? throw new TemperException($"{path}: found {big.Length} bytes, expected at most {MaxBytes}")
                : File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"{path}: expected a file of cases, found: {e.Message}", e);
        }
    }

    private static JsonDocument Parse(string place, string text)
    {
        try
        {
            return JsonDocument.Parse(text, s_json);
        }
        catch (JsonException e)
        {
            throw new TemperException($"{place}: expected JSON, found: {e.Message}", e);
        }
    }

    /// <summary>A text of at most 64 KiB.</summary>
    public static string Text(JsonElement value, string place)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String && value.GetString() is { Length: <= MaxText } text
                ? text
                : throw new TemperException($"{place}: found {value.ValueKind}, expected a text of at most {MaxText} characters");
        }
        catch (InvalidOperationException e)
        {
            throw new TemperException($"{place}: found text that is no valid Unicode, expected no lone surrogates", e);
        }
    }
}

/// <summary>The fields of one case.</summary>
/// <param name="Place">File and case, for messages.</param>
internal readonly record struct CaseFields(JsonElement Json, string Place)
{
    /// <summary>Refuses fields that the format does not have.</summary>
    public CaseFields Only(params string[] known)
    {
        Require(JsonValueKind.Object, Json, Place, "an object");
        foreach (var field in Json.EnumerateObject().Where(p => !known.Contains(p.Name, StringComparer.Ordinal)))
        {
            throw new TemperException($"{Place}: found the field {field.Name}, expected only: {string.Join(", ", known)}");
        }

        return this;
    }

    public string Text(string name) => CaseFile.Text(Field(name), $"{Place}: {name}");

    public IReadOnlyList<string> Texts(string name) => Texts(Field(name), $"{Place}: {name}");

    /// <summary>Every field of an object whose fields are lists of texts.</summary>
    public IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> Lists()
    {
        Require(JsonValueKind.Object, Json, Place, "an object of lists");
        var place = Place;
        return [.. Json.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, Texts(p.Value, $"{place}: {p.Name}")))];
    }

    private JsonElement Field(string name) =>
        Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty(name, out var value) ? value : throw new TemperException($"{Place}: found no {name}, expected one");

    private static IReadOnlyList<string> Texts(JsonElement list, string place)
    {
        Require(JsonValueKind.Array, list, place, "a list of texts");
        return [.. list.EnumerateArray().Select((t, i) => CaseFile.Text(t, $"{place}[{i}]"))];
    }

    private static void Require(JsonValueKind kind, JsonElement json, string place, string expected)
    {
        if (json.ValueKind != kind)
        {
            throw new TemperException($"{place}: found {json.ValueKind}, expected {expected}");
        }
    }
}
