using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>Llama: RMSNorm, rotary positions, grouped-query attention, SwiGLU (Touvron et al. 2023). Mistral, Qwen2 and Qwen3 run through it: windows, biases and head norms are as their configuration says.</summary>
public sealed class Llama : RotaryModel
{
    private readonly Layer[] layers;

    private sealed record Layer(Tensor InputNorm, Linear Q, Linear K, Linear V, Linear O, Tensor? QNorm, Tensor? KNorm, Tensor PostNorm, Linear Gate, Linear Up, Linear Down);

    public Llama(ModelConfig config, IReadOnlyDictionary<string, Tensor> parameters) : base(config, parameters)
    {
        layers = [.. Enumerable.Range(0, config.Layers).Select(i => $"model.layers.{i}").Select(at => new Layer(
            parameters[$"{at}.input_layernorm.weight"],
            Get($"{at}.self_attn.q_proj"), Get($"{at}.self_attn.k_proj"), Get($"{at}.self_attn.v_proj"), Get($"{at}.self_attn.o_proj"),
            parameters.GetValueOrDefault($"{at}.self_attn.q_norm.weight"), parameters.GetValueOrDefault($"{at}.self_attn.k_norm.weight"),
            parameters[$"{at}.post_attention_layernorm.weight"],
            Get($"{at}.mlp.gate_proj"), Get($"{at}.mlp.up_proj"), Get($"{at}.mlp.down_proj")))];
        Linears = [.. layers.SelectMany(l => new[] { l.Q, l.K, l.V, l.O, l.Gate, l.Up, l.Down })];
    }

    internal static Family Family { get; } = new(
        Architecture.Llama, "llama", "LlamaForCausalLM",
        f => Read(f, Architecture.Llama) with { AttentionBias = f.Flag("attention_bias", false), MlpBias = f.Flag("mlp_bias", false) },
        (c, json) => (json["attention_bias"], json["mlp_bias"]) = (c.AttentionBias, c.MlpBias),
        c => Shapes(c), (c, p) => new Llama(c, p), "model.", "rotary_emb.inv_freq");

    public override IReadOnlyList<Linear> Linears { get; }

    /// <summary>What Llama's relatives have in common in config.json.</summary>
    internal static ModelConfig Read(ConfigReader fields, Architecture architecture, double epsilon = 1e-6, string activation = "hidden_act", bool tied = false)
    {
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

        var share = fields.RotaryShare();
        if ((int)(headSize * share) is var rotated && (rotated < 2 || rotated % 2 != 0))
        {
            throw fields.Error("partial_rotary_factor", $"{share}", $"a share that rotates an even number of the head's {headSize} entries");
        }

        var supported = architecture is Architecture.Gemma2 or Architecture.Gemma3Text ? Activation.GeluTanh : Activation.Silu;
        if (ActivationFunctions.Read(fields, activation, ActivationFunctions.Name(supported)) != supported)
        {
            throw fields.Error(activation, $"\"{fields.Text(activation)}\"", supported == Activation.Silu ? "\"silu\"" : "\"gelu_pytorch_tanh\"");
        }

        return new()
        {
            Architecture = architecture,
            VocabularySize = fields.Integer("vocab_size", 1, 1 << 21),
            HiddenSize = hidden,
            IntermediateSize = fields.Integer("intermediate_size", 1, 1 << 19),
            Layers = fields.Integer("num_hidden_layers", 1, 512),
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = headSize,
            MaxPositions = fields.Integer("max_position_embeddings", 1, 1 << 21, 2048),
            NormEpsilon = fields.Number("rms_norm_eps", 0, 1, epsilon),
            RopeTheta = fields.RopeTheta(),
            RopeScaling = fields.Rope(),
            RotaryShare = share,
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", tied),
            Activation = supported,
        };
    }

    /// <summary>Every parameter with its shape, in the order of a transformers checkpoint.</summary>
    /// <param name="outputBias">Whether the attention's output has a bias where its inputs have one.</param>
    /// <param name="headNorms">Whether queries and keys are normed.</param>
    internal static IEnumerable<(string Name, long[] Shape)> Shapes(ModelConfig c, bool outputBias = true, bool headNorms = false)
    {
        long hidden = c.HiddenSize, inner = c.IntermediateSize, q = (long)c.Heads * c.HeadSize, kv = (long)c.KeyValueHeads * c.HeadSize;
        yield return ("model.embed_tokens.weight", [c.VocabularySize, hidden]);
        for (var i = 0; i < c.Layers; i++)
        {
            (string Name, long Out, long In, bool Bias)[] linears =
            [
                ("self_attn.q_proj", q, hidden, c.AttentionBias), ("self_attn.k_proj", kv, hidden, c.AttentionBias), ("self_attn.v_proj", kv, hidden, c.AttentionBias),
                ("self_attn.o_proj", hidden, q, c.AttentionBias && outputBias),
                ("mlp.gate_proj", inner, hidden, c.MlpBias), ("mlp.up_proj", inner, hidden, c.MlpBias), ("mlp.down_proj", hidden, inner, c.MlpBias),
            ];
            foreach (var (name, rows, columns, bias) in linears)
            {
                yield return ($"model.layers.{i}.{name}.weight", [rows, columns]);
                if (bias)
                {
                    yield return ($"model.layers.{i}.{name}.bias", [rows]);
                }
            }

            foreach (var name in headNorms ? (string[])["q_norm", "k_norm"] : [])
            {
                yield return ($"model.layers.{i}.self_attn.{name}.weight", [c.HeadSize]);
            }

            yield return ($"model.layers.{i}.input_layernorm.weight", [hidden]);
            yield return ($"model.layers.{i}.post_attention_layernorm.weight", [hidden]);
        }

        yield return ("model.norm.weight", [hidden]);
        if (!c.TieWordEmbeddings)
        {
            yield return ("lm_head.weight", [c.VocabularySize, hidden]);
        }
    }

    protected override Tensor Block(int layer, Tensor x, Tensor[] state, ActivationTap tap, ForwardOptions options)
    {
        using var scope = NewDisposeScope();
        var l = layers[layer];
        var qkv = Linear.Together(RmsNorm(x, l.InputNorm), options.Precision, l.Q, l.K, l.V).split([l.Q.OutFeatures, l.K.OutFeatures, l.V.OutFeatures], -1);
        Tensor Head(Tensor value, int heads, Tensor? norm) => Rotate(layer, norm is null ? Split(value, heads) : RmsNorm(Split(value, heads), norm), state);
        var attention = Attend(layer, Head(qkv[0], Config.Heads, l.QNorm), Head(qkv[1], Config.KeyValueHeads, l.KNorm), Split(qkv[2], Config.KeyValueHeads), options);
        x = x + tap(Site.AttentionOutput, layer, l.O.Apply(attention, options.Precision));
        var gateAndUp = Linear.TogetherAsComputed(RmsNorm(x, l.PostNorm), options.Precision, l.Gate, l.Up);
        var inner = tap(Site.MlpHidden, layer, Fused.SwiGlu(options.Tap is null ? gateAndUp : gateAndUp.to(ScalarType.Float32)));
        return (x + tap(Site.MlpOutput, layer, l.Down.Apply(inner, options.Precision))).MoveToOuterDisposeScope();
    }
}
