using System.Text.Json;
using Temper.Core;

namespace Temper.Engine.Tokenizers;

/// <summary>Fields of a tokenizer.json; a complaint names file, field, found and expected.</summary>
internal sealed class TokenizerFields(string path)
{
    public const int MaxVocabulary = 1 << 21;

    public static JsonElement? Get(JsonElement owner, string field) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(field, out var e) && e.ValueKind != JsonValueKind.Null ? e : null;

    public static string Quote(string text) => Cut(JsonSerializer.Serialize(text));

    public TemperException Error(string field, JsonElement? found, string expected) =>
        new($"{path}: {field}: found {(found is { } e ? Cut(e.GetRawText()) : "nothing")}, expected {expected}");

    public TemperException Missing(string field, string found, string expected) => new($"{path}: {field}: found {found}, expected {expected}");

    /// <summary>One value; where that is null, false and the empty text are as good as none.</summary>
    public void Expect(JsonElement owner, string at, string field, string? expected)
    {
        var found = Get(owner, field);
        if (found?.ToString() is var text && !(expected is null ? text is null or "" or "False" or "0" or "0.0" : string.Equals(text, expected, StringComparison.OrdinalIgnoreCase)))
        {
            throw Error(at + field, found, expected ?? "null");
        }
    }

    public string Type(JsonElement owner, string at) => Text($"{at}.type", Get(owner, "type"));

    public int Id(string at, JsonElement? e) => Number(at, e, 0, MaxVocabulary - 1, "an id");

    public int Number(string at, JsonElement? e, int low, int high, string what) =>
        e is { ValueKind: JsonValueKind.Number } n && n.TryGetInt32(out var id) && id >= low && id <= high ? id : throw Error(at, e, $"{what} from {low} to {high}");

    public double Real(string at, JsonElement? e) =>
        e is { ValueKind: JsonValueKind.Number } n && n.TryGetDouble(out var value) && double.IsFinite(value) ? value : throw Error(at, e, "a number");

    public string Text(string at, JsonElement? e) => e is { ValueKind: JsonValueKind.String } s ? s.GetString()! : throw Error(at, e, "a text");

    public string Text(string at, JsonElement owner, string field, string fallback) => Get(owner, field) is { } e ? Text($"{at}.{field}", e) : fallback;

    public bool Flag(string at, JsonElement owner, string field, bool fallback) => Get(owner, field) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        var e => throw Error($"{at}.{field}", e, "true or false"),
    };

    public IEnumerable<JsonElement> Items(string at, JsonElement? e) => e is { ValueKind: JsonValueKind.Array } a ? a.EnumerateArray() : throw Error(at, e, "an array");

    /// <summary>A literal text or an expression.</summary>
    public TextPattern Pattern(string at, JsonElement? e)
    {
        if (e is { } p && Get(p, "String") is { } literal)
        {
            return TextPattern.Of(Text($"{at}.String", literal) is { Length: > 0 } text ? text : throw Error($"{at}.String", literal, "a text that is not empty"));
        }

        var expression = e is { } o ? Get(o, "Regex") : null;
        try
        {
            return TextPattern.Expression(Text($"{at}.Regex", expression));
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            throw Missing($"{at}.Regex", Cut(expression!.Value.GetRawText()), $"an expression that .NET knows: {error.Message}");
        }
    }

    private static string Cut(string text) => text.Length <= 80 ? text : text[..80] + "…";
}
