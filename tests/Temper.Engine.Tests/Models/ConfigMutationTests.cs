using System.Text.Json.Nodes;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Tests;

namespace Temper.Engine.Tests.Models;

public sealed class ConfigMutationTests : IDisposable
{
    private static readonly JsonNode?[] s_values =
        [null, -1, 0, 3, 99_999_999_999L, 1e300, -0.5, "", "x", true, false, new JsonArray(), new JsonArray(1, "x"), new JsonObject(), new JsonObject { ["x"] = 1 }];

    private readonly string folder = Directory.CreateTempSubdirectory("temper-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(ParityTests.Families), MemberType = typeof(ParityTests))]
    public void Every_field_under_every_value_loads_or_is_refused_with_a_name(string family)
    {
        var origin = TestData.Require("reference", family);
        File.CreateSymbolicLink(Path.Combine(folder, "model.safetensors"), Path.Combine(origin, "model.safetensors"));
        var text = File.ReadAllText(Path.Combine(origin, "config.json"));
        var refused = 0;
        foreach (var (field, _) in JsonNode.Parse(text)!.AsObject())
        {
            foreach (var value in s_values)
            {
                var config = JsonNode.Parse(text)!.AsObject();
                config[field] = value?.DeepClone();
                File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
                try
                {
                    Checkpoint.Load(folder).Dispose();
                }
                catch (TemperException e)
                {
                    refused++;
                    Assert.Matches(": .*(found|expected)", e.Message);
                    Assert.Contains("expected", e.Message, StringComparison.Ordinal);
                }
            }
        }

        Assert.True(refused > 50, $"{refused} refused");
    }
}
