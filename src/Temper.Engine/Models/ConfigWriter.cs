using System.Text.Json;
using System.Text.Json.Nodes;

namespace Temper.Engine.Models;

/// <summary>config.json in the words of transformers.</summary>
internal static class ConfigWriter
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    public static string Write(ModelConfig config) => (config.Architecture == Architecture.Llama ? Llama(config) : Gpt2(config)).ToJsonString(s_json) + "\n";

    private static JsonObject Llama(ModelConfig c)
    {
        var fields = new JsonObject
        {
            ["architectures"] = new JsonArray("LlamaForCausalLM"), ["model_type"] = "llama", ["vocab_size"] = c.VocabularySize, ["hidden_size"] = c.HiddenSize,
            ["intermediate_size"] = c.IntermediateSize, ["num_hidden_layers"] = c.Layers, ["num_attention_heads"] = c.Heads, ["num_key_value_heads"] = c.KeyValueHeads,
            ["head_dim"] = c.HeadSize, ["max_position_embeddings"] = c.MaxPositions, ["rms_norm_eps"] = c.NormEpsilon, ["rope_theta"] = c.RopeTheta,
            ["hidden_act"] = "silu", ["tie_word_embeddings"] = c.TieWordEmbeddings, ["attention_bias"] = c.AttentionBias, ["mlp_bias"] = c.MlpBias,
        };
        if (c.RopeScaling is { } rope)
        {
            fields["rope_scaling"] = new JsonObject
            {
                ["rope_type"] = "llama3", ["factor"] = rope.Factor, ["low_freq_factor"] = rope.LowFrequencyFactor, ["high_freq_factor"] = rope.HighFrequencyFactor,
                ["original_max_position_embeddings"] = rope.OriginalMaxPositions,
            };
        }

        return fields;
    }

    private static JsonObject Gpt2(ModelConfig c) => new()
    {
        ["architectures"] = new JsonArray("GPT2LMHeadModel"), ["model_type"] = "gpt2", ["vocab_size"] = c.VocabularySize, ["n_embd"] = c.HiddenSize,
        ["n_inner"] = c.IntermediateSize, ["n_layer"] = c.Layers, ["n_head"] = c.Heads, ["n_positions"] = c.MaxPositions,
        ["layer_norm_epsilon"] = c.NormEpsilon, ["activation_function"] = "gelu_new", ["tie_word_embeddings"] = c.TieWordEmbeddings,
    };
}
