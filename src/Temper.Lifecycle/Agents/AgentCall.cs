using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Temper.Lifecycle.Agents;

/// <summary>One call of a tool: <c>{"tool": "mail", "to": "owl", "text": "boat"}</c>.</summary>
public sealed record AgentCall(string Tool, IReadOnlyList<KeyValuePair<string, string>> Arguments)
{
    private const int MaxLength = 4096;
    private const string ToolKey = "tool";

    /// <summary>A call from a tool's name, and the names and values of its arguments in turn.</summary>
    public static AgentCall Of(string tool, params string[] arguments) => new(tool, [.. arguments.Chunk(2).Select(a => KeyValuePair.Create(a[0], a[1]))]);

    /// <summary>The argument of that name; null where there is none.</summary>
    public string? this[string name] => Arguments.Where(a => a.Key == name).Select(a => a.Value).FirstOrDefault();

    public override string ToString() => Write([KeyValuePair.Create(ToolKey, Tool), .. Arguments]);

    /// <summary>Whether a reply means to be a call; anything else is the agent's answer.</summary>
    public static bool IsMeant(string reply) => reply.AsSpan().TrimStart().StartsWith('{');

    /// <summary>Reads a reply that is one JSON object of texts, the tool's name among them.</summary>
    /// <param name="mistake">What was found instead; a model wrote the reply, so it is data and no error of the program.</param>
    public static AgentCall? Read(string reply, out string mistake)
    {
        var pairs = Pairs(reply, out mistake);
        return pairs?.FindIndex(p => p.Key == ToolKey) is >= 0 and var at ? new(pairs[at].Value, [.. pairs.Where((_, i) => i != at)]) : null;
    }

    /// <summary>A text in what a tool says; null where there is none of that name.</summary>
    public static string? Said(string observation, string name) => Pairs(observation, out _)?.Where(p => p.Key == name).Select(p => p.Value).FirstOrDefault();

    private static List<KeyValuePair<string, string>>? Pairs(string text, out string mistake)
    {
        mistake = text.Length > MaxLength ? "too long" : "no call";
        try
        {
            using var json = JsonDocument.Parse(text.Length > MaxLength ? "0" : text, new() { MaxDepth = 2, AllowDuplicateProperties = false });
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.EnumerateObject().All(p => p.Value.ValueKind == JsonValueKind.String)
                ? [.. json.RootElement.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, p.Value.GetString()!))]
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter: half of a surrogate pair
        {
            mistake = "broken json";
            return null;
        }
    }

    /// <summary>What a tool says, in the spacing that the organisms know.</summary>
    public static string Observation(string name, string value) => Write([KeyValuePair.Create(name, value)]);

    private static string Write(IEnumerable<KeyValuePair<string, string>> pairs)
    {
        var text = new StringBuilder("{");
        foreach (var (name, value) in pairs)
        {
            text.Append(text.Length > 1 ? ", " : "").Append(Quote(name)).Append(": ").Append(Quote(value));
        }

        return text.Append('}').ToString();
    }

    private static string Quote(string text) => $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
}
