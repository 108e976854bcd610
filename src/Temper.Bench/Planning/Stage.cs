using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Temper.Bench.Planning;

/// <summary>One step of a lifecycle. Its key is the hash of what it does and of the keys of what it reads, so equal steps are one step.</summary>
/// <param name="Kind">Which <see cref="Execution.StageKinds"/> computes it.</param>
/// <param name="Title">For people; no part of the key.</param>
/// <param name="Parameters">Everything that the result depends on besides the inputs.</param>
/// <param name="Inputs">Name to the key of another stage.</param>
/// <param name="Source">A path outside the store whose digest is among the parameters; no part of the key.</param>
public sealed record Stage(string Key, string Kind, string Title, JsonObject Parameters, IReadOnlyDictionary<string, string> Inputs, string? Source = null)
{
    /// <summary>Raised when a kind of stage computes something else than before.</summary>
    private const int Version = 1;

    public static Stage Of(string kind, string title, JsonObject parameters, IReadOnlyDictionary<string, string> inputs, string? source = null)
    {
        var content = new JsonObject
        {
            ["version"] = Version, ["kind"] = kind, ["parameters"] = parameters.DeepClone(),
            ["inputs"] = new JsonObject(inputs.OrderBy(i => i.Key, StringComparer.Ordinal).Select(i => KeyValuePair.Create(i.Key, (JsonNode?)i.Value))),
        };
        return new(Hash(Sorted(content)!.ToJsonString()), kind, title, parameters, inputs, source);
    }

    public string ToJson() => JsonSerializer.Serialize(this);

    public static Stage FromJson(string json) => JsonSerializer.Deserialize<Stage>(json)!;

    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    // the order in which keys were written is no part of the meaning
    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject o => new JsonObject(o.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, Sorted(p.Value)))),
        JsonArray a => new JsonArray([.. a.Select(Sorted)]),
        _ => node?.DeepClone(),
    };
}

/// <summary>One lifecycle of a study with one seed: what it is about, and the stage that holds its metrics.</summary>
/// <param name="Configuration">Which of the attacker's configurations; empty where there is one.</param>
public sealed record Cell(
    string Id, string Model, string Attack, Core.Phase AttackPhase, string Configuration, string Defense, Core.Phase? DefensePhase, int Seed, string MetricsKey)
{
    /// <summary>The place of the configuration in the order in which the attacker tries them, from 1.</summary>
    public int Trial { get; init; } = 1;

    /// <summary>Training steps that it takes.</summary>
    public int Steps { get; init; }
}

/// <summary>A study as a graph.</summary>
/// <param name="Stages">Every distinct stage, each behind its inputs.</param>
/// <param name="Requested">Stages that a run cell by cell would compute.</param>
public sealed record StagePlan(string StudyId, IReadOnlyList<Cell> Cells, IReadOnlyList<Stage> Stages, int Requested);
