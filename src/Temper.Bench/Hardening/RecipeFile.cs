using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Temper.Bench.Studies;
using Temper.Core;

namespace Temper.Bench.Hardening;

/// <summary>A hardened stack as the recipe of a training: model, data, method, plan, and the defenses and monitors by phase.</summary>
public static class RecipeFile
{
    /// <summary>Where the rows of the organisms' world stand in the place of a file.</summary>
    public const string World = "world";

    private static readonly JsonSerializerOptions s_trace = new(JsonSerializerDefaults.Web) { WriteIndented = true, Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    public static string Write(HardenResult result)
    {
        var (request, text) = (result.Request, new StringBuilder());
        void Line(string line) => text.Append(line).Append('\n');
        void Value(string key, string value) => Line($"{key}: {StudyWriter.Flow(JsonValue.Create(value))}");
        foreach (var line in (string[])[$"Found by temper harden against the threats of {request.Threats.Name}.", result.Sentence(), "It does not protect against:", .. result.NotProtected().Select(n => $"  {n}")])
        {
            Line($"# {PageText.Visible(line).ReplaceLineEndings(" ")}");
        }

        Line("schema: 1");
        Value("model", Path.GetFullPath(request.Model.Path));
        if (request.Model.Base is { } before)
        {
            Value("base", Path.GetFullPath(before));
        }

        Value("data", request.Task.File is { } file ? Path.GetFullPath(file) : World);
        var plan = (JsonObject)JsonSerializer.SerializeToNode(request.Plan, StudyReader.PlanJson)!;
        Line($"method: {plan["method"]}");
        plan.Remove("method");
        Line($"plan: {StudyWriter.Flow(plan)}");
        Techniques(text, "defenses", result.Stack.Where(t => DefenseStack.CardOf(t).Role != TechniqueRole.Monitor));
        Techniques(text, "monitors", result.Stack.Where(t => DefenseStack.CardOf(t).Role == TechniqueRole.Monitor));
        Line($"evaluation: {StudyWriter.Flow(JsonSerializer.SerializeToNode(request.Evaluation, StudyReader.PlanJson))}");
        Value("output", "tuned");
        return text.ToString();
    }

    private static void Techniques(StringBuilder text, string key, IEnumerable<TechniqueUse> uses)
    {
        var all = uses.ToArray();
        text.Append(CultureInfo.InvariantCulture, $"{key}:{(all.Length == 0 ? " []" : "")}\n");
        foreach (var phase in all.GroupBy(t => DefenseStack.CardOf(t).Phase))
        {
            text.Append(CultureInfo.InvariantCulture, $"  # {(phase.Key switch { Phase.PreTuning => "before", Phase.DuringTuning => "during", _ => "after" })} tuning\n");
            foreach (var use in phase)
            {
                text.Append(CultureInfo.InvariantCulture, $"  - {{id: {use.Id}, settings: {StudyWriter.Flow(JsonNode.Parse(use.Settings))}}}\n");
            }
        }
    }

    /// <summary>The search as data: every round with its stacks, figures and fates.</summary>
    public static string WriteTrace(HardenResult result) => JsonSerializer.Serialize(
        new
        {
            schema = 1, threats = result.Request.Threats.Name, model = result.Request.Model.Name, stack = result.Name, sentence = result.Sentence(), notProtected = result.NotProtected(),
            notes = result.Notes, attacks = result.Attacks(), rounds = result.Rounds,
        },
        s_trace) + "\n";
}
