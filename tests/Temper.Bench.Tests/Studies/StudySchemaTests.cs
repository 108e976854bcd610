using System.Text.Json.Nodes;
using Temper.Bench.Studies;
using Temper.Core;
using Temper.Lifecycle;

namespace Temper.Bench.Tests.Studies;

public sealed class StudySchemaTests
{
    private static readonly JsonObject s_schema = (JsonObject)JsonNode.Parse(StudySchema.Write())!;

    [Fact]
    public void It_knows_every_technique_on_its_side_with_its_settings()
    {
        foreach (var entry in Catalog.All)
        {
            var side = entry.Card.Role == TechniqueRole.Attack ? "attacks" : "defenses";
            var use = s_schema["properties"]![side]!["items"]!["anyOf"]!.AsArray().First(a => a!["properties"]?["id"]?["const"]?.GetValue<string>() == entry.Card.Id)!;
            var settings = use["properties"]!["settings"]!["properties"]!.AsObject().Select(p => p.Key);
            Assert.Equal(((JsonObject)JsonNode.Parse(Catalog.ToJson(entry.DefaultSettings))!).Select(p => p.Key), settings);
        }
    }

    [Fact]
    public void It_says_the_range_and_the_default_of_a_setting()
    {
        var ratio = s_schema["properties"]!["attacks"]!["items"]!["anyOf"]!.AsArray().First(a => a!["properties"]?["id"]?["const"]?.GetValue<string>() == "bad-nets")!["properties"]!["settings"]!["properties"]!["ratio"]!;
        Assert.Equal("""{"type":"number","minimum":0,"maximum":1,"default":0.1}""", ratio.ToJsonString());
    }

    [Fact]
    public void It_has_the_keys_that_the_reader_knows_and_no_other() => Assert.Equal(
        ["schema", "name", "description", "models", "task", "plan", "attacks", "defenses", "seeds", "evaluation"], s_schema["properties"]!.AsObject().Select(p => p.Key));
}
