using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Temper.Bench.Searching;

namespace Temper.Bench.Studies;

/// <summary>A study as the file that <see cref="StudyReader"/> reads: settings as resolved, paths absolute.</summary>
public static class StudyWriter
{
    public static string Write(Study study)
    {
        var text = new StringBuilder();
        void Line(string key, JsonNode? value) => text.Append(CultureInfo.InvariantCulture, $"{key}: {Flow(value)}\n");
        void List(string key, IEnumerable<JsonNode?> items)
        {
            text.Append(CultureInfo.InvariantCulture, $"{key}:\n");
            foreach (var item in items)
            {
                text.Append(CultureInfo.InvariantCulture, $"  - {Flow(item)}\n");
            }
        }

        Line("schema", Study.CurrentSchema);
        Line("name", study.Name);
        if (study.Description.Length > 0)
        {
            Line("description", study.Description);
        }

        List("models", study.Models.Select(m => Without(new() { ["name"] = m.Name, ["path"] = Path.GetFullPath(m.Path), ["base"] = m.Base is null ? null : Path.GetFullPath(m.Base) })));
        Line("task", Task(study.Task));
        Line("plan", JsonSerializer.SerializeToNode(study.Plan, StudyReader.PlanJson));
        List("attacks", study.Attacks.Select(Attack));
        List("defenses", study.Defenses.Select(Defense));
        Line("seeds", new JsonArray([.. study.Seeds.Select(s => (JsonNode)s)]));
        Line("evaluation", JsonSerializer.SerializeToNode(study.Evaluation, StudyReader.PlanJson));
        return text.ToString();
    }

    /// <summary>A value in YAML's flow style.</summary>
    public static string Flow(JsonNode? node) => node switch
    {
        JsonObject o => $"{{{string.Join(", ", o.Select(p => $"{p.Key}: {Flow(p.Value)}"))}}}",
        JsonArray a => $"[{string.Join(", ", a.Select(Flow))}]",
        null => "null",
        _ when node.GetValueKind() == JsonValueKind.String => JsonSerializer.Serialize(node.GetValue<string>()),
        _ => node.ToJsonString(),
    };

    private static JsonObject Task(StudyTask task)
    {
        var node = (JsonObject)JsonSerializer.SerializeToNode(task, StudyReader.PlanJson)!;
        if (task.Skills.Count == 0)
        {
            node.Remove("skills");
        }

        return Without(node);
    }

    private static JsonObject Attack(StudyAttack attack)
    {
        var first = attack.Configurations[0].Technique;
        JsonObject node = new() { ["id"] = first.Id, ["name"] = attack.Name, ["settings"] = JsonNode.Parse(first.Settings) };
        if (attack.Search is { } search)
        {
            node["space"] = new JsonObject(search.Space.Select(p => KeyValuePair.Create(p.Name, (JsonNode?)Parameter(p))));
            node["budget"] = Without((JsonObject)JsonSerializer.SerializeToNode(search.Budget, StudyReader.PlanJson)!);
        }
        else if (attack.Configurations.Count > 1)
        {
            // every combination was made, so what differs are the settings that were listed
            var all = attack.Configurations.Select(c => (JsonObject)JsonNode.Parse(c.Technique.Settings)!).ToArray();
            node["search"] = new JsonObject(all[0].Select(s => KeyValuePair.Create(s.Key, all.Select(c => c[s.Key]?.ToJsonString() ?? "null").Distinct(StringComparer.Ordinal).ToArray()))
                .Where(s => s.Value.Length > 1).Select(s => KeyValuePair.Create(s.Key, (JsonNode?)new JsonArray([.. s.Value.Select(v => JsonNode.Parse(v))]))));
        }

        return node;
    }

    private static JsonNode Parameter(SearchParameter parameter) => parameter switch
    {
        ChoiceParameter choice => new JsonArray([.. choice.Values.Select(v => v?.DeepClone())]),
        RangeParameter { Whole: true } range => new JsonObject { ["low"] = (long)range.Low, ["high"] = (long)range.High, ["log"] = range.Logarithmic },
        RangeParameter range => new JsonObject { ["low"] = Real(range.Low), ["high"] = Real(range.High), ["log"] = range.Logarithmic },
        _ => throw new ArgumentException($"found {parameter.GetType().Name}, expected a choice or a range", nameof(parameter)),
    };

    // written with a point, so that it is not read as a whole number
    private static JsonNode Real(double value) =>
        JsonNode.Parse(value.ToString("R", CultureInfo.InvariantCulture) is var text && text.AsSpan().IndexOfAny(".E") >= 0 ? text : $"{text}.0")!;

    private static JsonObject Defense(StudyDefense defense)
    {
        JsonObject[] stack = [.. defense.Stack.Select(t => new JsonObject { ["id"] = t.Id, ["settings"] = JsonNode.Parse(t.Settings) })];
        if (stack.Length > 1)
        {
            return new() { ["stack"] = new JsonArray([.. stack]), ["name"] = defense.Name };
        }

        stack[0]["name"] = defense.Name;
        return stack[0];
    }

    private static JsonObject Without(JsonObject node) => new(node.Where(p => p.Value is not null).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())));
}
