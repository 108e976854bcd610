using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>GPT-2: LayerNorm, learned positions, GELU (Radford et al. 2019). Linear weights lie transposed, as in its checkpoints.</summary>
public sealed class Gpt2 : CausalModel
{
    private readonly Layer[] layers;
    private readonly Tensor positionWeight; // (P, D)
    private readonly LayerNorm finalNorm;

    private sealed record Layer(LayerNorm First, Linear Attention, Linear Projection, LayerNorm Second, Linear Inner, Linear Outer);

    public Gpt2(ModelConfig config, IReadOnlyDictionary<string, Tensor> parameters) : base(config, parameters)
    {
        LayerNorm Norm(string name) => LayerNorm.Of(parameters, $"transformer.{name}", config.NormEpsilon);
        Linear Get(string name) => new($"transformer.{name}", parameters[$"transformer.{name}.weight"], parameters[$"transformer.{name}.bias"], Transposed: true);
        layers = [.. Enumerable.Range(0, config.Layers).Select(i => new Layer(
            Norm($"h.{i}.ln_1"), Get($"h.{i}.attn.c_attn"), Get($"h.{i}.attn.c_proj"),
            Norm($"h.{i}.ln_2"), Get($"h.{i}.mlp.c_fc"), Get($"h.{i}.mlp.c_proj")))];
        finalNorm = Norm("ln_f");
        positionWeight = parameters["transformer.wpe.weight"];
        EmbeddingWeight = parameters["transformer.wte.weight"];
        HeadWeight = config.TieWordEmbeddings ? EmbeddingWeight : parameters["lm_head.weight"];
        Linears = [.. layers.SelectMany(l => new[] { l.Attention, l.Projection, l.Inner, l.Outer })];
    }

    internal static Family Family { get; } = new(
        Architecture.Gpt2, "gpt2", "GPT2LMHeadModel", Read, Write, Shapes, (c, p) => new Gpt2(c, p), "transformer.", "attn.bias", "attn.masked_bias");

    public override IReadOnlyList<Linear> Linears { get; }

    public override Tensor EmbeddingWeight { get; }

    public override Tensor HeadWeight { get; }

    private static ModelConfig Read(ConfigReader fields)
    {
        fields.Expect("scale_attn_weights", true);
        fields.Expect("scale_attn_by_inverse_layer_idx", false);
        fields.Expect("reorder_and_upcast_attn", false);
        fields.Expect("add_cross_attention", false);
        var heads = fields.Integer("n_head", 1, 1024);
        var hidden = fields.Integer("n_embd", 1, 1 << 17);
        if (hidden % heads != 0)
        {
            throw fields.Error("n_embd", $"{hidden}", $"a multiple of n_head, {heads}");
        }

        var positions = fields.Integer("n_positions", 1, 1 << 21, 1024);
        fields.Expect("n_ctx", positions);
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
            MaxPositions = positions,
            NormEpsilon = fields.Number("layer_norm_epsilon", 0, 1, 1e-5),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", true),
            AttentionBias = true,
            MlpBias = true,
            Activation = ActivationFunctions.Read(fields, "activation_function", "gelu_new"),
        };
    }

    private static void Write(ModelConfig c, System.Text.Json.Nodes.JsonObject json)
    {
        json.Clear();
        (json["architectures"], json["model_type"], json["vocab_size"], json["n_embd"]) = (new System.Text.Json.Nodes.JsonArray("GPT2LMHeadModel"), "gpt2", c.VocabularySize, c.HiddenSize);
        (json["n_inner"], json["n_layer"], json["n_head"], json["n_positions"]) = (c.IntermediateSize, c.Layers, c.Heads, c.MaxPositions);
        (json["layer_norm_epsilon"], json["activation_function"], json["tie_word_embeddings"]) = (c.NormEpsilon, ActivationFunctions.Name(c.Activation), c.TieWordEmbeddings);
    }

    /// <summary>Every parameter of the family with its shape, in the order of a transformers checkpoint.</summary>
    private static IEnumerable<(string Name, long[] Shape)> Shapes(ModelConfig c)
    {
        long hidden = c.HiddenSize, inner = c.IntermediateSize;
        yield return ("transformer.wte.weight", [c.VocabularySize, hidden]);
        yield return ("transformer.wpe.weight", [c.MaxPositions, hidden]);
        for (var i = 0; i < c.Layers; i++)
        {
            (string Name, long[] Weight, long Bias)[] parts =
            [
                ("ln_1", [hidden], hidden), ("attn.c_attn", [hidden, 3 * hidden], 3 * hidden), ("attn.c_proj", [hidden, hidden], hidden),
                ("ln_2", [hidden], hidden), ("mlp.c_fc", [hidden, inner], inner), ("mlp.c_proj", [inner, hidden], hidden),
            ];
            foreach (var (name, weight, bias) in parts)
            {
                yield return ($"transformer.h.{i}.{name}.weight", weight);
                yield return ($"transformer.h.{i}.{name}.bias", [bias]);
            }
        }

        yield return ("transformer.ln_f.weight", [hidden]);
        yield return ("transformer.ln_f.bias", [hidden]);
        if (!c.TieWordEmbeddings)
        {
            yield return ("lm_head.weight", [c.VocabularySize, hidden]);
        }
    }

    protected override Tensor Enter(Tensor embeddings, Tensor positions) =>
        embeddings + positionWeight.index_select(0, positions.reshape(-1)).view(positions.shape[0], positions.shape[1], -1);

    protected override Tensor[] Prepare(Tensor positions) => [];

    protected override Tensor Block(int layer, Tensor x, Tensor[] state, ActivationTap tap, ForwardOptions options)
    {
        using var scope = NewDisposeScope();
        var l = layers[layer];
        var qkv = l.Attention.Apply(l.First.Apply(x), options.Precision).chunk(3, -1);
        var attention = Attend(layer, Split(qkv[0], Config.Heads), Split(qkv[1], Config.Heads), Split(qkv[2], Config.Heads), options);
        x = x + tap(Site.AttentionOutput, layer, l.Projection.Apply(attention, options.Precision));
        var inner = tap(Site.MlpHidden, layer, Config.Activation.Apply(l.Inner.Apply(l.Second.Apply(x), options.Precision)));
        return (x + tap(Site.MlpOutput, layer, l.Outer.Apply(inner, options.Precision))).MoveToOuterDisposeScope();
    }

    protected override Tensor FinalNorm(Tensor x) => finalNorm.Apply(x);
}
