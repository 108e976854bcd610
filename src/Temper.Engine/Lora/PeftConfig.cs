using System.Text.Json;
using Temper.Core;

namespace Temper.Engine.Lora;

/// <summary>What an adapter_config.json says that changes the computation; what is not supported there is an error.</summary>
public sealed record PeftConfig(int Rank, double Alpha, bool UseRsLora, bool UseDora, IReadOnlyList<string> ModulesToSave)
{
    // what each may say, as JSON; absent and null are fine everywhere
    private static readonly (string Field, string[] Supported)[] s_fields =
    [
        ("bias", ["\"none\""]), ("rank_pattern", ["{}"]), ("alpha_pattern", ["{}"]), ("init_lora_weights", ["true", "false", "\"gaussian\""]), ("lora_bias", ["false"]),
        ("use_qalora", ["false"]), ("layer_replication", []), ("target_parameters", []), ("trainable_token_indices", []), ("enable_lora", []), ("alora_invocation_tokens", []), ("arrow_config", []),
    ];

    /// <summary>What the adapter says that it was trained on; empty where it says nothing.</summary>
    public string BaseModel { get; private init; } = "";

    /// <summary>What B A is multiplied by: alpha / r, or alpha / sqrt(r) (rsLoRA, Kalajdzievski 2023).</summary>
    public double Scale => Alpha / (UseRsLora ? Math.Sqrt(Rank) : Rank);

    /// <summary>Whether a parameter belongs to a module that the adapter brings along whole.</summary>
    public bool IsSaved(string parameter) =>
        parameter[..parameter.LastIndexOf('.')] is var module && ModulesToSave.Any(m => module == m || module.EndsWith($".{m}", StringComparison.Ordinal));

    /// <exception cref="TemperException">A field is missing, out of range or not supported.</exception>
    public static PeftConfig Read(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), new() { MaxDepth = 16, AllowDuplicateProperties = false });
            var root = document.RootElement;
            JsonElement? Get(string field) => root.TryGetProperty(field, out var e) && e.ValueKind != JsonValueKind.Null ? e : null;
            TemperException Error(string field, string expected) => new($"{path}: {field}: found {Get(field)?.GetRawText() ?? "nothing"}, expected {expected}");
            bool Flag(string field) => Get(field)?.ValueKind switch { null or JsonValueKind.False => false, JsonValueKind.True => true, _ => throw Error(field, "true or false") };
            if (Get("peft_type")?.ToString() != "LORA")
            {
                throw Error("peft_type", "\"LORA\"");
            }

            foreach (var (field, supported) in s_fields)
            {
                if (Get(field) is { } e && !supported.Contains(e.GetRawText(), StringComparer.Ordinal))
                {
                    throw Error(field, supported.Length == 0 ? "null" : string.Join(" or ", supported));
                }
            }

            var rank = Get("r") is { ValueKind: JsonValueKind.Number } r && r.TryGetInt32(out var n) && n is > 0 and <= 4096 ? n : throw Error("r", "a rank from 1 to 4096");
            var alpha = Get("lora_alpha") is { ValueKind: JsonValueKind.Number } a && a.TryGetDouble(out var d) && Math.Abs(d) <= 1e6 ? d : throw Error("lora_alpha", "a number of at most a million");
            var modules = Get("modules_to_save") switch
            {
                null => [],
                { ValueKind: JsonValueKind.Array } list when list.EnumerateArray().All(m => m.ValueKind == JsonValueKind.String) => list.EnumerateArray().Select(m => m.GetString()!).ToArray(),
                _ => throw Error("modules_to_save", "a list of names"),
            };
            return new(rank, alpha, Flag("use_rslora"), Flag("use_dora"), modules) { BaseModel = Get("base_model_name_or_path") is { ValueKind: JsonValueKind.String } name ? name.GetString()! : "" };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"{path}: expected a PEFT configuration: {e.Message}", e);
        }
    }
}
