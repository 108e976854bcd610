using System.Text.Json.Nodes;
using Temper.Core;
using Temper.Lifecycle;
using YamlDotNet.RepresentationModel;

namespace Temper.Bench.Studies;

/// <summary>A technique of a study: its id, its settings over the defaults, and every combination of the settings that are searched.</summary>
internal sealed class TechniqueReader(YamlFields fields, bool attack)
{
    private const int MaxConfigurations = 1000;

    public IReadOnlyList<AttackConfiguration> Configurations(YamlNode node, string field, string id, YamlNode? settings, YamlNode? search)
    {
        AttackConfiguration[] nothing = [new("", new(id, "{}"))];
        if (id.Length == 0)
        {
            return nothing;
        }

        CatalogEntry entry;
        try
        {
            entry = Catalog.Find(id, attack);
        }
        catch (TemperException e)
        {
            fields.Mistake(node, field, id, e.Message);
            return nothing;
        }

        if (attack != (entry.Card.Role == TechniqueRole.Attack))
        {
            fields.Mistake(node, field, $"{id}, {(attack ? "no attack" : "an attack")}", attack ? "an attack" : "a defense or a monitor");
            return nothing;
        }

        var defaults = (JsonObject)JsonNode.Parse(Catalog.ToJson(entry.DefaultSettings))!;
        var given = Known(settings, $"{field}.settings", defaults);
        var searched = Known(search, $"{field}.search", defaults);
        return [.. Combinations(search, $"{field}.search", searched).Take(MaxConfigurations).Select(c => Resolve(entry, node, field, defaults, given, c))];
    }

    private JsonObject Known(YamlNode? node, string field, JsonObject defaults)
    {
        if (node is null)
        {
            return [];
        }

        var known = fields.Mapping(node, field, [.. defaults.Select(d => d.Key)]);
        return new(known.Select(k => KeyValuePair.Create(k.Key, fields.Json(k.Value, field))));
    }

    private List<JsonObject> Combinations(YamlNode? node, string field, JsonObject searched)
    {
        List<JsonObject> all = [[]];
        foreach (var (key, values) in searched)
        {
            if (values is not JsonArray { Count: > 0 } list)
            {
                fields.Mistake(node, $"{field}.{key}", values?.ToJsonString() ?? "nothing", "a list of values to try");
                continue;
            }

            all = [.. from one in all from value in list select With(one, key, value)];
            if (all.Count > MaxConfigurations)
            {
                fields.Mistake(node, field, $"{all.Count} combinations", $"at most {MaxConfigurations}");
                return all;
            }
        }

        return all;
    }

    private static JsonObject With(JsonObject settings, string key, JsonNode? value)
    {
        var copy = (JsonObject)settings.DeepClone();
        copy[key] = value?.DeepClone();
        return copy;
    }

    /// <summary>Whether the technique takes these settings; if not, the mistake is noted.</summary>
    public bool Accepts(TechniqueUse use, YamlNode node, string field)
    {
        try
        {
            Catalog.Find(use.Id, attack).Create(use.Settings);
            return true;
        }
        catch (TemperException e)
        {
            fields.Mistake(node, field, use.Settings, e.Message);
            return false;
        }
    }

    private AttackConfiguration Resolve(CatalogEntry entry, YamlNode node, string field, JsonObject defaults, JsonObject given, JsonObject searched)
    {
        var settings = (JsonObject)defaults.DeepClone();
        foreach (var (key, value) in given.Concat(searched))
        {
            settings[key] = value?.DeepClone();
        }

        TechniqueUse use = new(entry.Card.Id, settings.ToJsonString());
        Accepts(use, node, $"{field}.settings");
        return new(string.Join(", ", searched.Select(s => $"{s.Key} {s.Value?.ToJsonString() ?? "null"}")), use);
    }
}
