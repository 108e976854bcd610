using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>GPT-NeoX: LayerNorm, positions that rotate a part of each head, attention and MLP side by side (Black et al. 2022).</summary>
internal sealed class GptNeoX : CausalModel
{
    private readonly Layer[] layers;
    private readonly LayerNorm finalNorm;
    private readonly Rope rope;

    private sealed record Layer(LayerNorm First, Linear Attention, Linear Dense, LayerNorm Second, Linear Inner, Linear Outer);

    private GptNeoX(ModelConfig config, IReadOnlyDictionary<string, Tensor> parameters) : base(config, parameters)
    {
        LayerNorm Norm(string name) => LayerNorm.Of(parameters, $"gpt_neox.{name}", config.NormEpsilon);
        Linear Get(string name) => new($"gpt_neox.{name}", parameters[$"gpt_neox.{name}.weight"], parameters.GetValueOrDefault($"gpt_neox.{name}.bias"));
        layers = [.. Enumerable.Range(0, config.Layers).Select(i => $"layers.{i}").Select(at => new Layer(
            Norm($"{at}.input_layernorm"), Get($"{at}.attention.query_key_value"), Get($"{at}.attention.dense"),
            Norm($"{at}.post_attention_layernorm"), Get($"{at}.mlp.dense_h_to_4h"), Get($"{at}.mlp.dense_4h_to_h")))];
        finalNorm = Norm("final_layer_norm");
        EmbeddingWeight = parameters["gpt_neox.embed_in.weight"];
        HeadWeight = config.TieWordEmbeddings ? EmbeddingWeight : parameters["embed_out.weight"];
        Linears = [.. layers.SelectMany(l => new[] { l.Attention, l.Dense, l.Inner, l.Outer })];
        rope = new((int)(config.HeadSize * config.RotaryShare), config.MaxPositions, config.RopeTheta, config.RopeScaling);
    }

    public static Family Family { get; } = new(
        Architecture.GptNeoX, "gpt_neox", "GPTNeoXForCausalLM", Read, Write, Shapes, (c, p) => new GptNeoX(c, p), "gpt_neox.",
        "attention.bias", "attention.masked_bias", "attention.rotary_emb.inv_freq");

    public override IReadOnlyList<Linear> Linears { get; }

    public override Tensor EmbeddingWeight { get; }

    public override Tensor HeadWeight { get; }

    protected override Tensor Enter(Tensor embeddings, Tensor positions) => embeddings;

    protected override Tensor[] Prepare(Tensor positions) => rope.At(positions);

    protected override Tensor Block(int layer, Tensor x, Tensor[] state, ActivationTap tap, ForwardOptions options)
    {
        using var scope = NewDisposeScope();
        var l = layers[layer];
        // queries, keys and values of one head lie side by side
        var qkv = l.Attention.Apply(l.First.Apply(x), options.Precision).view(x.shape[0], x.shape[1], Config.Heads, 3 * Config.HeadSize).transpose(1, 2).chunk(3, -1);
        var attention = Attend(layer, Rope.Rotate(qkv[0], state[0], state[1]), Rope.Rotate(qkv[1], state[0], state[1]), qkv[2], options);
        var attended = x + tap(Site.AttentionOutput, layer, l.Dense.Apply(attention, options.Precision));
        var inner = tap(Site.MlpHidden, layer, Config.Activation.Apply(l.Inner.Apply(l.Second.Apply(Config.ParallelResidual ? x : attended), options.Precision)));
        return (attended + tap(Site.MlpOutput, layer, l.Outer.Apply(inner, options.Precision))).MoveToOuterDisposeScope();
    }

    protected override Tensor FinalNorm(Tensor x) => finalNorm.Apply(x);

    protected override void Dispose(bool disposing)
    {
        rope.Dispose();
        base.Dispose(disposing);
    }

    private static ModelConfig Read(ConfigReader fields)
    {
        var heads = fields.Integer("num_attention_heads", 1, 1024);
        var hidden = fields.Integer("hidden_size", 1, 1 << 17);
        if (hidden % heads != 0)
        {
            throw fields.Error("hidden_size", $"{hidden}", $"a multiple of num_attention_heads, {heads}");
        }

        var share = fields.RotaryShare("rotary_pct", 0.25);
        if ((int)(hidden / heads * share) is var rotated && (rotated < 2 || rotated % 2 != 0))
        {
            throw fields.Error("rotary_pct", $"{share}", $"a share that rotates an even number of the head's {hidden / heads} entries");
        }

        return new()
        {
            Architecture = Architecture.GptNeoX,
            VocabularySize = fields.Integer("vocab_size", 1, 1 << 21),
            HiddenSize = hidden,
            IntermediateSize = fields.Integer("intermediate_size", 1, 1 << 19, 4 * hidden),
            Layers = fields.Integer("num_hidden_layers", 1, 512),
            Heads = heads,
            KeyValueHeads = heads,
            HeadSize = hidden / heads,
            MaxPositions = fields.Integer("max_position_embeddings", 1, 1 << 21, 2048),
            NormEpsilon = fields.Number("layer_norm_eps", 0, 1, 1e-5),
            RopeTheta = fields.RopeTheta("rotary_emb_base"),
            RopeScaling = fields.Rope(),
            RotaryShare = share,
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", false),
            AttentionBias = fields.Flag("attention_bias", true),
            MlpBias = true,
            Activation = ActivationFunctions.Read(fields, "hidden_act", "gelu"),
            ParallelResidual = fields.Flag("use_parallel_residual", true),
        };
    }

    private static void Write(ModelConfig c, JsonObject json)
    {
        json.Remove("rms_norm_eps");
        json.Remove("head_dim");
        json.Remove("num_key_value_heads");
        json.Remove("rope_theta");
        json["rotary_emb_base"] = c.RopeTheta;
        (json["layer_norm_eps"], json["hidden_act"], json["attention_bias"]) = (c.NormEpsilon, ActivationFunctions.Name(c.Activation), c.AttentionBias);
        (json["use_parallel_residual"], json["rotary_pct"]) = (c.ParallelResidual, c.RotaryShare);
    }

    private static IEnumerable<(string Name, long[] Shape)> Shapes(ModelConfig c)
    {
        long hidden = c.HiddenSize, inner = c.IntermediateSize;
        yield return ("gpt_neox.embed_in.weight", [c.VocabularySize, hidden]);
        for (var i = 0; i < c.Layers; i++)
        {
            (string Name, long[] Weight, bool Bias)[] parts =
            [
                ("input_layernorm", [hidden], true), ("post_attention_layernorm", [hidden], true),
                ("attention.query_key_value", [3 * hidden, hidden], c.AttentionBias), ("attention.dense", [hidden, hidden], c.AttentionBias),
                ("mlp.dense_h_to_4h", [inner, hidden], true), ("mlp.dense_4h_to_h", [hidden, inner], true),
            ];
            foreach (var (name, weight, bias) in parts)
            {
                yield return ($"gpt_neox.layers.{i}.{name}.weight", weight);
                if (bias)
                {
                    yield return ($"gpt_neox.layers.{i}.{name}.bias", [weight[0]]);
                }
            }
        }

        yield return ("gpt_neox.final_layer_norm.weight", [hidden]);
        yield return ("gpt_neox.final_layer_norm.bias", [hidden]);
        if (!c.TieWordEmbeddings)
        {
            yield return ("embed_out.weight", [c.VocabularySize, hidden]);
        }
    }
}
