using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>OPT: learned positions that count from two, ReLU (Zhang et al. 2022).</summary>
internal sealed class Opt : CausalModel
{
    private const int FirstPosition = 2;

    private readonly Layer[] layers;
    private readonly Tensor positionWeight; // (P + 2, D)
    private readonly LayerNorm? finalNorm;

    private sealed record Layer(LayerNorm First, Linear Q, Linear K, Linear V, Linear O, LayerNorm Second, Linear Inner, Linear Outer);

    private Opt(ModelConfig config, IReadOnlyDictionary<string, Tensor> parameters) : base(config, parameters)
    {
        LayerNorm Norm(string name) => LayerNorm.Of(parameters, $"model.decoder.{name}", config.NormEpsilon);
        Linear Get(string name) => new($"model.decoder.{name}", parameters[$"model.decoder.{name}.weight"], parameters.GetValueOrDefault($"model.decoder.{name}.bias"));
        layers = [.. Enumerable.Range(0, config.Layers).Select(i => $"layers.{i}").Select(at => new Layer(
            Norm($"{at}.self_attn_layer_norm"), Get($"{at}.self_attn.q_proj"), Get($"{at}.self_attn.k_proj"), Get($"{at}.self_attn.v_proj"), Get($"{at}.self_attn.out_proj"),
            Norm($"{at}.final_layer_norm"), Get($"{at}.fc1"), Get($"{at}.fc2")))];
        finalNorm = config.PreNorm ? Norm("final_layer_norm") : null;
        positionWeight = parameters["model.decoder.embed_positions.weight"];
        EmbeddingWeight = parameters["model.decoder.embed_tokens.weight"];
        HeadWeight = config.TieWordEmbeddings ? EmbeddingWeight : parameters["lm_head.weight"];
        Linears = [.. layers.SelectMany(l => new[] { l.Q, l.K, l.V, l.O, l.Inner, l.Outer })];
    }

    public static Family Family { get; } = new(Architecture.Opt, "opt", "OPTForCausalLM", Read, Write, Shapes, (c, p) => new Opt(c, p), "model.");

    public override IReadOnlyList<Linear> Linears { get; }

    public override Tensor EmbeddingWeight { get; }

    public override Tensor HeadWeight { get; }

    protected override Tensor Enter(Tensor embeddings, Tensor positions) =>
        embeddings + positionWeight.index_select(0, (positions + FirstPosition).reshape(-1)).view(positions.shape[0], positions.shape[1], -1);

    protected override Tensor[] Prepare(Tensor positions) => [];

    protected override Tensor Block(int layer, Tensor x, Tensor[] state, ActivationTap tap, ForwardOptions options)
    {
        using var scope = NewDisposeScope();
        var l = layers[layer];
        Tensor Before(LayerNorm norm, Tensor value) => Config.PreNorm ? norm.Apply(value) : value;
        Tensor Behind(LayerNorm norm, Tensor value) => Config.PreNorm ? value : norm.Apply(value);
        var qkv = Linear.Together(Before(l.First, x), options.Precision, l.Q, l.K, l.V).chunk(3, -1);
        var attention = Attend(layer, Split(qkv[0], Config.Heads), Split(qkv[1], Config.Heads), Split(qkv[2], Config.Heads), options);
        x = Behind(l.First, x + tap(Site.AttentionOutput, layer, l.O.Apply(attention, options.Precision)));
        var inner = tap(Site.MlpHidden, layer, Config.Activation.Apply(l.Inner.Apply(Before(l.Second, x), options.Precision)));
        return Behind(l.Second, x + tap(Site.MlpOutput, layer, l.Outer.Apply(inner, options.Precision))).MoveToOuterDisposeScope();
    }

    protected override Tensor FinalNorm(Tensor x) => finalNorm is null ? x : finalNorm.Apply(x);

    private static ModelConfig Read(ConfigReader fields)
    {
        fields.Expect("layer_norm_elementwise_affine", true);
        fields.Expect("_remove_final_layer_norm", false);
        var heads = fields.Integer("num_attention_heads", 1, 1024);
        var hidden = fields.Integer("hidden_size", 1, 1 << 17);
        if (hidden % heads != 0)
        {
            throw fields.Error("hidden_size", $"{hidden}", $"a multiple of num_attention_heads, {heads}");
        }

        fields.Expect("word_embed_proj_dim", hidden);
        var bias = fields.Flag("enable_bias", true);
        return new()
        {
            Architecture = Architecture.Opt,
            VocabularySize = fields.Integer("vocab_size", 1, 1 << 21),
            HiddenSize = hidden,
            IntermediateSize = fields.Integer("ffn_dim", 1, 1 << 19),
            Layers = fields.Integer("num_hidden_layers", 1, 512),
            Heads = heads,
            KeyValueHeads = heads,
            HeadSize = hidden / heads,
            MaxPositions = fields.Integer("max_position_embeddings", 1, 1 << 21, 2048),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", true),
            AttentionBias = bias,
            MlpBias = bias,
            Activation = ActivationFunctions.Read(fields, "activation_function", "relu"),
            PreNorm = fields.Flag("do_layer_norm_before", true),
        };
    }

    private static void Write(ModelConfig c, JsonObject json)
    {
        json.Clear();
        (json["architectures"], json["model_type"], json["vocab_size"], json["hidden_size"]) = (new JsonArray("OPTForCausalLM"), "opt", c.VocabularySize, c.HiddenSize);
        (json["ffn_dim"], json["num_hidden_layers"], json["num_attention_heads"], json["max_position_embeddings"]) = (c.IntermediateSize, c.Layers, c.Heads, c.MaxPositions);
        (json["activation_function"], json["tie_word_embeddings"], json["enable_bias"]) = (ActivationFunctions.Name(c.Activation), c.TieWordEmbeddings, c.AttentionBias);
        (json["do_layer_norm_before"], json["word_embed_proj_dim"]) = (c.PreNorm, c.HiddenSize);
    }

    private static IEnumerable<(string Name, long[] Shape)> Shapes(ModelConfig c)
    {
        long hidden = c.HiddenSize, inner = c.IntermediateSize;
        yield return ("model.decoder.embed_tokens.weight", [c.VocabularySize, hidden]);
        yield return ("model.decoder.embed_positions.weight", [c.MaxPositions + FirstPosition, hidden]);
        foreach (var end in c.PreNorm ? (string[])["weight", "bias"] : [])
        {
            yield return ($"model.decoder.final_layer_norm.{end}", [hidden]);
        }

        for (var i = 0; i < c.Layers; i++)
        {
            (string Name, long[] Weight, bool Bias)[] parts =
            [
                ("self_attn.k_proj", [hidden, hidden], c.AttentionBias), ("self_attn.v_proj", [hidden, hidden], c.AttentionBias), ("self_attn.q_proj", [hidden, hidden], c.AttentionBias),
                ("self_attn.out_proj", [hidden, hidden], c.AttentionBias), ("self_attn_layer_norm", [hidden], true),
                ("fc1", [inner, hidden], c.MlpBias), ("fc2", [hidden, inner], c.MlpBias), ("final_layer_norm", [hidden], true),
            ];
            foreach (var (name, weight, bias) in parts)
            {
                yield return ($"model.decoder.layers.{i}.{name}.weight", weight);
                if (bias)
                {
                    yield return ($"model.decoder.layers.{i}.{name}.bias", [weight[0]]);
                }
            }
        }

        if (!c.TieWordEmbeddings)
        {
            yield return ("lm_head.weight", [c.VocabularySize, hidden]);
        }
    }
}
