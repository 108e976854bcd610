using System.Text.Json;
using System.Text.Json.Nodes;

namespace Temper.Engine.Models;

/// <summary>config.json in the words of transformers.</summary>
internal static class ConfigWriter
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    public static string Write(ModelConfig config)
    {
        var fields = Common(config);
        Family.Of(config).Write(config, fields);
        return fields.ToJsonString(s_json) + "\n";
    }

    public static JsonArray LayerTypes(ModelConfig config) =>
        [.. Enumerable.Range(0, config.Layers).Select(i => (JsonNode)(config.WindowOf(i) > 0 ? "sliding_attention" : "full_attention"))];

    // what Llama's relatives say alike; the others begin anew
    private static JsonObject Common(ModelConfig c)
    {
        var family = Family.Of(c);
        var fields = new JsonObject
        {
            ["architectures"] = new JsonArray(family.Class), ["model_type"] = family.ModelType, ["vocab_size"] = c.VocabularySize, ["hidden_size"] = c.HiddenSize,
            ["intermediate_size"] = c.IntermediateSize, ["num_hidden_layers"] = c.Layers, ["num_attention_heads"] = c.Heads, ["num_key_value_heads"] = c.KeyValueHeads,
            ["head_dim"] = c.HeadSize, ["max_position_embeddings"] = c.MaxPositions, ["rms_norm_eps"] = c.NormEpsilon, ["rope_theta"] = c.RopeTheta,
            ["hidden_act"] = "silu", ["tie_word_embeddings"] = c.TieWordEmbeddings,
        };
        if (c.RopeScaling is { } rope)
        {
            fields["rope_scaling"] = rope is Llama3RopeScaling llama3
                ? new JsonObject
                {
                    ["rope_type"] = "llama3", ["factor"] = rope.Factor, ["low_freq_factor"] = llama3.LowFrequencyFactor, ["high_freq_factor"] = llama3.HighFrequencyFactor,
                    ["original_max_position_embeddings"] = llama3.OriginalMaxPositions,
                }
                : new JsonObject { ["rope_type"] = "linear", ["factor"] = rope.Factor };
        }

        return fields;
    }
}
