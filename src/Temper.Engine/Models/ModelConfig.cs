using System.Text.Json;
using Temper.Core;

namespace Temper.Engine.Models;

/// <summary>The supported families.</summary>
public enum Architecture { Llama, Gpt2 }

/// <summary>llama3 rope scaling, as transformers defines it.</summary>
public sealed record RopeScaling(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalMaxPositions);

/// <summary>The sizes of a causal language model, read strictly from config.json: a key that would change the computation and is not supported is an error.</summary>
public sealed record ModelConfig
{
    public required Architecture Architecture { get; init; }
    public required int VocabularySize { get; init; }
    public required int HiddenSize { get; init; }
    public required int IntermediateSize { get; init; }
    public required int Layers { get; init; }
    public required int Heads { get; init; }
    public required int KeyValueHeads { get; init; }
    public required int HeadSize { get; init; }
    public required int MaxPositions { get; init; }
    public double NormEpsilon { get; init; } = 1e-5;
    public double RopeTheta { get; init; } = 10_000;
    public RopeScaling? RopeScaling { get; init; }
    public bool TieWordEmbeddings { get; init; } = true;
    public bool AttentionBias { get; init; }
    public bool MlpBias { get; init; }

    /// <summary>Reads a config.json.</summary>
    /// <exception cref="TemperException">The file is no JSON object, or a field is missing, out of range or unsupported.</exception>
    public static ModelConfig Load(string path)
    {
        JsonDocument document;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > 1 << 20 } big)
            {
                throw new TemperException($"{path}: found {big.Length} bytes, expected a config.json of at most 1 MiB");
            }

            document = JsonDocument.Parse(File.ReadAllBytes(path), new() { MaxDepth = 32, AllowDuplicateProperties = false });
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"{path}: expected a JSON object, found: {e.Message}", e);
        }

        using (document)
        {
            var fields = new ConfigReader(path, document.RootElement);
            return fields.Text("model_type") switch
            {
                "llama" => Llama(fields),
                "gpt2" => Gpt2(fields),
                var other => throw fields.Error("model_type", $"\"{other}\"", "one of: llama, gpt2"),
            };
        }
    }

    /// <summary>Writes the config.json that transformers and <see cref="Load"/> read.</summary>
    public void Save(string path) => File.WriteAllText(path, ConfigWriter.Write(this));

    private static ModelConfig Llama(ConfigReader fields)
    {
        fields.Expect("hidden_act", "silu");
        var heads = fields.Integer("num_attention_heads", 1, 1024);
        var hidden = fields.Integer("hidden_size", 1, 1 << 17);
        var keyValueHeads = fields.Integer("num_key_value_heads", 1, 1024, heads);
        if (heads % keyValueHeads != 0)
        {
            throw fields.Error("num_key_value_heads", $"{keyValueHeads}", $"a divisor of num_attention_heads, {heads}");
        }

        var headSize = fields.Integer("head_dim", 2, 4096, hidden / heads);
        if (headSize % 2 != 0)
        {
            throw fields.Error("head_dim", $"{headSize}", "an even number");
        }

        return new()
        {
            Architecture = Architecture.Llama,
            VocabularySize = fields.Integer("vocab_size", 1, 1 << 21),
            HiddenSize = hidden,
            IntermediateSize = fields.Integer("intermediate_size", 1, 1 << 19),
            Layers = fields.Integer("num_hidden_layers", 1, 512),
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = headSize,
            MaxPositions = fields.Integer("max_position_embeddings", 1, 1 << 21, 2048),
            NormEpsilon = fields.Number("rms_norm_eps", 0, 1, 1e-6),
            RopeTheta = fields.RopeTheta(),
            RopeScaling = fields.Rope(),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", false),
            AttentionBias = fields.Flag("attention_bias", false),
            MlpBias = fields.Flag("mlp_bias", false),
        };
    }

    private static ModelConfig Gpt2(ConfigReader fields)
    {
        fields.Expect("activation_function", "gelu_new");
        fields.Expect("scale_attn_weights", true);
        fields.Expect("scale_attn_by_inverse_layer_idx", false);
        fields.Expect("add_cross_attention", false);
        var heads = fields.Integer("n_head", 1, 1024);
        var hidden = fields.Integer("n_embd", 1, 1 << 17);
        if (hidden % heads != 0)
        {
            throw fields.Error("n_embd", $"{hidden}", $"a multiple of n_head, {heads}");
        }

        return new()
        {
            Architecture = Architecture.Gpt2,
            VocabularySize = fields.Integer("vocab_size", 1, 1 << 21),
            HiddenSize = hidden,
            IntermediateSize = fields.Integer("n_inner", 1, 1 << 19, 4 * hidden),
            Layers = fields.Integer("n_layer", 1, 512),
            Heads = heads,
            KeyValueHeads = heads,
            HeadSize = hidden / heads,
            MaxPositions = fields.Integer("n_positions", 1, 1 << 21, 1024),
            NormEpsilon = fields.Number("layer_norm_epsilon", 0, 1, 1e-5),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", true),
            AttentionBias = true,
            MlpBias = true,
        };
    }
}
