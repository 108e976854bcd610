using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Temper.Bench.Searching;
using Temper.Core;
using Temper.Lifecycle;
using Temper.Lifecycle.Organisms;

namespace Temper.Bench.Studies;

/// <summary>The JSON schema (draft 2020-12) of a study file, for editors; made from the same records and catalog that read it.</summary>
public static class StudySchema
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    public static string Write()
    {
        var attacks = Catalog.All.Where(e => e.Card.Role == TechniqueRole.Attack).ToArray();
        var defenses = Catalog.All.Except(attacks).ToArray();
        var schema = Record("A matrix of lifecycles: models x attacks x defenses x seeds.", new()
        {
            ["schema"] = new JsonObject { ["const"] = Study.CurrentSchema },
            ["name"] = Text("Names the report's folder."),
            ["description"] = Text("The question that the study answers."),
            ["models"] = List(new JsonObject
            {
                ["anyOf"] = new JsonArray(
                    new JsonObject { ["enum"] = new JsonArray([.. Organism.All.Select(o => (JsonNode)o.Id)]) },
                    Record("A checkpoint folder.", new() { ["name"] = Text("How the report names it."), ["path"] = Text("Relative to the study file."), ["base"] = Text("The same model before it was aligned.") }, "path")),
            }),
            ["task"] = Of(new StudyTask()),
            ["plan"] = Of(new TuningPlan()),
            ["attacks"] = List(new JsonObject { ["anyOf"] = new JsonArray([Ids(attacks), .. attacks.Select(a => Use(a, "Settings to values; every combination is one configuration of the attacker."))]) }),
            ["defenses"] = List(new JsonObject
            {
                ["anyOf"] = new JsonArray(
                [
                    Ids(defenses), .. defenses.Select(d => Use(d, "Settings to values; every combination is a defense of its own, and the report says how much the choice matters.")),
                    Stack(defenses), Record("Several defenses in one.", new() { ["stack"] = Stack(defenses), ["name"] = Text("How the report names it.") }, "stack"),
                ]),
            }),
            ["seeds"] = List(new JsonObject { ["type"] = "integer", ["minimum"] = 0 }),
            ["evaluation"] = Of(new StudyEvaluation()),
        }, "schema", "name", "models", "attacks", "defenses");
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
        schema["title"] = "Temper study";
        return schema.ToJsonString(s_json) + "\n";
    }

    private static JsonObject Stack(CatalogEntry[] defenses) => List(new JsonObject { ["anyOf"] = new JsonArray([Ids(defenses), .. defenses.Select(d => Use(d, null))]) });

    private static JsonObject Use(CatalogEntry entry, string? search)
    {
        var settings = Of(entry.DefaultSettings);
        JsonObject properties = new() { ["id"] = new JsonObject { ["const"] = entry.Card.Id }, ["name"] = Text("How the report names it."), ["settings"] = settings };
        if (search is not null)
        {
            properties["search"] = Record(search, new(((JsonObject)settings["properties"]!).Select(p => KeyValuePair.Create(p.Key, (JsonNode?)List(p.Value!.DeepClone())))));
        }

        if (entry.Card.Role == TechniqueRole.Attack)
        {
            properties["space"] = Record("Settings to a list of values or a range; the attacker searches it anew against every defense.",
                new(((JsonObject)settings["properties"]!).Select(p => KeyValuePair.Create(p.Key, (JsonNode?)new JsonObject
                {
                    ["anyOf"] = new JsonArray(List(p.Value!.DeepClone()), Record("A range.", new() { ["low"] = Type(typeof(double)), ["high"] = Type(typeof(double)), ["log"] = Type(typeof(bool)) }, "low", "high")),
                }))));
            properties["budget"] = Of(new SearchBudget());
        }

        return Record(entry.Card.Summary, properties, "id");
    }

    private static JsonObject Of(object defaults)
    {
        JsonObject properties = [];
        foreach (var property in defaults.GetType().GetProperties().Where(p => p.CanWrite))
        {
            var name = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            var schema = Type(property.PropertyType);
            if (property.GetCustomAttribute<RangeAttribute>() is { } range)
            {
                schema["minimum"] = JsonSerializer.SerializeToNode(range.Minimum);
                schema["maximum"] = JsonSerializer.SerializeToNode(range.Maximum);
            }

            schema["default"] = JsonSerializer.SerializeToNode(property.GetValue(defaults), StudyReader.PlanJson);
            properties[name] = schema;
        }

        return Record("", properties);
    }

    private static JsonObject Type(Type type)
    {
        var inner = Nullable.GetUnderlyingType(type);
        JsonObject Named(string name) => new() { ["type"] = inner is null ? name : new JsonArray(name, "null") };
        return (inner ?? type) switch
        {
            var t when t == typeof(bool) => Named("boolean"),
            var t when t == typeof(int) || t == typeof(ulong) || t == typeof(long) => Named("integer"),
            var t when t == typeof(double) => Named("number"),
            { IsEnum: true } t => new() { ["enum"] = new JsonArray([.. Enum.GetNames(t).Select(n => (JsonNode)JsonNamingPolicy.CamelCase.ConvertName(n)), .. inner is null ? Array.Empty<JsonNode?>() : [null]]) },
            var t when t == typeof(string) => new() { ["type"] = new JsonArray("string", "null") },
            _ => List(Text("")),
        };
    }

    private static JsonObject Ids(IEnumerable<CatalogEntry> entries) => new() { ["enum"] = new JsonArray([.. entries.Select(e => (JsonNode)e.Card.Id)]) };

    private static JsonObject List(JsonNode item) => new() { ["type"] = "array", ["items"] = item, ["minItems"] = 1 };

    private static JsonObject Text(string description) => description.Length == 0 ? new() { ["type"] = "string" } : new() { ["type"] = "string", ["description"] = description };

    private static JsonObject Record(string description, JsonObject properties, params string[] required)
    {
        JsonObject record = new() { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        if (description.Length > 0)
        {
            record["description"] = description;
        }

        if (required.Length > 0)
        {
            record["required"] = new JsonArray([.. required.Select(r => (JsonNode)r)]);
        }

        return record;
    }
}
