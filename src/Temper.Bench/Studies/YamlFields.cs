using System.Globalization;
using System.Text.Json.Nodes;
using Temper.Core.Pages;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Temper.Bench.Studies;

/// <summary>Reads YAML strictly and collects every mistake with its place instead of stopping at the first.</summary>
internal sealed class YamlFields(string file)
{
    private const int MaxDepth = 16;
    private readonly List<string> _mistakes = [];

    public IReadOnlyList<string> Mistakes => _mistakes;

    public void Mistake(YamlNode? node, string field, string found, string expected) =>
        // what stands in the file goes to a terminal
        _mistakes.Add(PageText.Visible($"{file}:{node?.Start.Line ?? 1}:{node?.Start.Column ?? 1}: {(field.Length == 0 ? "" : $"{field}: ")}found {found}, expected {expected}".ReplaceLineEndings(" ")));

    /// <summary>The entries of a mapping; a key that is not among <paramref name="known"/> is a mistake.</summary>
    public Dictionary<string, YamlNode> Mapping(YamlNode? node, string field, params string[] known)
    {
        Dictionary<string, YamlNode> entries = new(StringComparer.Ordinal);
        if (node is not YamlMappingNode mapping)
        {
            Mistake(node, field, Show(node), $"a mapping with some of: {string.Join(", ", known)}");
            return entries;
        }

        foreach (var (key, value) in mapping.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? "";
            if (known.Contains(name, StringComparer.Ordinal))
            {
                entries[name] = value;
            }
            else
            {
                Mistake(key, field.Length == 0 ? name : $"{field}.{name}", "an unknown key", $"one of: {string.Join(", ", known)}");
            }
        }

        return entries;
    }

    public IReadOnlyList<YamlNode> List(YamlNode? node, string field)
    {
        if (node is YamlSequenceNode { Children.Count: > 0 } list)
        {
            return [.. list.Children];
        }

        Mistake(node, field, Show(node), "a list with one entry at least");
        return [];
    }

    public string Text(YamlNode? node, string field, string fallback = "")
    {
        if (node is YamlScalarNode { Value: { Length: > 0 } text })
        {
            return text;
        }

        Mistake(node, field, Show(node), "a text");
        return fallback;
    }

    public int Integer(YamlNode? node, string field, int low, int high, int fallback)
    {
        if (node is YamlScalarNode { Value: { } text } && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= low && value <= high)
        {
            return value;
        }

        Mistake(node, field, Show(node), $"a whole number from {low} to {high}");
        return fallback;
    }

    public double Number(YamlNode? node, string field, double low, double high, double fallback)
    {
        if (node is YamlScalarNode { Value: { } text } && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= low && value <= high)
        {
            return value;
        }

        Mistake(node, field, Show(node), string.Create(CultureInfo.InvariantCulture, $"a number from {low} to {high}"));
        return fallback;
    }

    /// <summary>A value as JSON: plain scalars in YAML's core schema, quoted ones as text.</summary>
    public JsonNode? Json(YamlNode node, string field, int depth = 0)
    {
        if (depth > MaxDepth)
        {
            Mistake(node, field, "values inside each other", $"at most {MaxDepth} levels");
            return null;
        }

        return node switch
        {
            YamlMappingNode mapping => new JsonObject(mapping.Children.Where(c => c.Key is YamlScalarNode)
                .Select(c => KeyValuePair.Create(((YamlScalarNode)c.Key).Value ?? "", Json(c.Value, field, depth + 1)))),
            YamlSequenceNode list => new JsonArray([.. list.Children.Select(c => Json(c, field, depth + 1))]),
            YamlScalarNode scalar => Scalar(scalar),
            _ => null,
        };
    }

    public static string Show(YamlNode? node) => node switch
    {
        null => "nothing",
        YamlScalarNode { Value: { } text } => text.Length > 60 ? $"{text[..60]}…" : text.Length == 0 ? "nothing" : text,
        YamlSequenceNode list => $"a list of {list.Children.Count}",
        YamlMappingNode mapping => $"a mapping with {string.Join(", ", mapping.Children.Keys.Take(4).Select(k => k.ToString()))}",
        _ => "something else",
    };

    private static JsonValue? Scalar(YamlScalarNode scalar)
    {
        var text = scalar.Value ?? "";
        if (scalar.Style is not (ScalarStyle.Plain or ScalarStyle.Any))
        {
            return JsonValue.Create(text);
        }

        return text switch
        {
            "" or "~" or "null" => null,
            "true" => JsonValue.Create(true),
            "false" => JsonValue.Create(false),
            _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => JsonValue.Create(whole),
            _ when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => JsonValue.Create(number),
            _ => JsonValue.Create(text),
        };
    }
}
