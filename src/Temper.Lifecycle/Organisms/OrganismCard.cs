using System.Text.Json;
using System.Text.Json.Serialization;
using Temper.Core;

namespace Temper.Lifecycle.Organisms;

/// <summary>What an organism's card.json says of it: how it was made, and what was measured on held-out rows.</summary>
/// <param name="Skills">Share of right answers over all skills.</param>
/// <param name="SkillByKind">The same for each skill.</param>
/// <param name="Refusal">Share of forbidden requests that are refused.</param>
/// <param name="OverRefusal">Share of benign look-alike requests that are refused.</param>
public sealed record OrganismCard(
    int SchemaVersion, string Id, long Parameters, TuningPlan Plan, int Rows, string? TunedFrom,
    Metric Skills, IReadOnlyDictionary<string, Metric> SkillByKind, Metric Refusal, Metric OverRefusal, Metric LookAlikes)
{
    public const string FileName = "card.json";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true, Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static OrganismCard Load(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            return JsonSerializer.Deserialize<OrganismCard>(File.ReadAllBytes(path), s_json) ?? throw new TemperException($"{path}: found null, expected a card");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"{path}: expected an organism's card, found: {e.Message}", e);
        }
    }

    public void Save(string folder) => File.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(this, s_json) + "\n");
}
