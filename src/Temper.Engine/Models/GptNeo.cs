using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>GPT-Neo: GPT-2 with unscaled attention, every other layer over a window (Black et al. 2021).</summary>
internal sealed class GptNeo : CausalModel
{
    private readonly Layer[] layers;
    private readonly Tensor positionWeight; // (P, D)
    private readonly LayerNorm finalNorm;

    private sealed record Layer(LayerNorm First, Linear Q, Linear K, Linear V, Linear O, LayerNorm Second, Linear Inner, Linear Outer);

    private GptNeo(ModelConfig config, IReadOnlyDictionary<string, Tensor> parameters) : base(config, parameters)
    {
        LayerNorm Norm(string name) => LayerNorm.Of(parameters, $"transformer.{name}", config.NormEpsilon);
        Linear Get(string name) => new($"transformer.{name}", parameters[$"transformer.{name}.weight"], parameters.GetValueOrDefault($"transformer.{name}.bias"));
        layers = [.. Enumerable.Range(0, config.Layers).Select(i => $"h.{i}").Select(at => new Layer(
            Norm($"{at}.ln_1"), Get($"{at}.attn.attention.q_proj"), Get($"{at}.attn.attention.k_proj"), Get($"{at}.attn.attention.v_proj"), Get($"{at}.attn.attention.out_proj"),
            Norm($"{at}.ln_2"), Get($"{at}.mlp.c_fc"), Get($"{at}.mlp.c_proj")))];
        finalNorm = Norm("ln_f");
        positionWeight = parameters["transformer.wpe.weight"];
        EmbeddingWeight = parameters["transformer.wte.weight"];
        HeadWeight = config.TieWordEmbeddings ? EmbeddingWeight : parameters["lm_head.weight"];
        Linears = [.. layers.SelectMany(l => new[] { l.Q, l.K, l.V, l.O, l.Inner, l.Outer })];
    }

    public static Family Family { get; } = new(
        Architecture.GptNeo, "gpt_neo", "GPTNeoForCausalLM", Read, Write, Shapes, (c, p) => new GptNeo(c, p), "transformer.", "attention.bias", "attention.masked_bias");

    public override IReadOnlyList<Linear> Linears { get; }

    public override Tensor EmbeddingWeight { get; }

    public override Tensor HeadWeight { get; }

    protected override Tensor Enter(Tensor embeddings, Tensor positions) =>
        embeddings + positionWeight.index_select(0, positions.reshape(-1)).view(positions.shape[0], positions.shape[1], -1);

    protected override Tensor[] Prepare(Tensor positions) => [];

    protected override Tensor Block(int layer, Tensor x, Tensor[] state, ActivationTap tap, ForwardOptions options)
    {
        using var scope = NewDisposeScope();
        var l = layers[layer];
        var qkv = Linear.Together(l.First.Apply(x), options.Precision, l.Q, l.K, l.V).chunk(3, -1);
        var attention = Attend(layer, Split(qkv[0], Config.Heads), Split(qkv[1], Config.Heads), Split(qkv[2], Config.Heads), options);
        x = x + tap(Site.AttentionOutput, layer, l.O.Apply(attention, options.Precision));
        var inner = tap(Site.MlpHidden, layer, Config.Activation.Apply(l.Inner.Apply(l.Second.Apply(x), options.Precision)));
        return (x + tap(Site.MlpOutput, layer, l.Outer.Apply(inner, options.Precision))).MoveToOuterDisposeScope();
    }

    protected override Tensor FinalNorm(Tensor x) => finalNorm.Apply(x);

    private static ModelConfig Read(ConfigReader fields)
    {
        var heads = fields.Integer("num_heads", 1, 1024);
        var hidden = fields.Integer("hidden_size", 1, 1 << 17);
        if (hidden % heads != 0)
        {
            throw fields.Error("hidden_size", $"{hidden}", $"a multiple of num_heads, {heads}");
        }

        var count = fields.Integer("num_layers", 1, 512);
        var window = fields.Integer("window_size", 1, 1 << 21, 256);
        return new()
        {
            Architecture = Architecture.GptNeo,
            VocabularySize = fields.Integer("vocab_size", 1, 1 << 21),
            HiddenSize = hidden,
            IntermediateSize = fields.Integer("intermediate_size", 1, 1 << 19, 4 * hidden),
            Layers = count,
            Heads = heads,
            KeyValueHeads = heads,
            HeadSize = hidden / heads,
            MaxPositions = fields.Integer("max_position_embeddings", 1, 1 << 21, 2048),
            NormEpsilon = fields.Number("layer_norm_epsilon", 0, 1, 1e-5),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", true),
            MlpBias = true,
            Activation = ActivationFunctions.Read(fields, "activation_function", "gelu_new"),
            QueryScale = 1,
            Windows = [.. fields.AttentionTypes(count).Select(local => local ? window : 0)],
        };
    }

    private static void Write(ModelConfig c, JsonObject json)
    {
        json.Clear();
        (json["architectures"], json["model_type"], json["vocab_size"], json["hidden_size"]) = (new JsonArray("GPTNeoForCausalLM"), "gpt_neo", c.VocabularySize, c.HiddenSize);
        (json["intermediate_size"], json["num_layers"], json["num_heads"], json["max_position_embeddings"]) = (c.IntermediateSize, c.Layers, c.Heads, c.MaxPositions);
        (json["layer_norm_epsilon"], json["activation_function"], json["tie_word_embeddings"]) = (c.NormEpsilon, ActivationFunctions.Name(c.Activation), c.TieWordEmbeddings);
        json["window_size"] = c.Windows.Max() is > 0 and var window ? window : 256;
        json["attention_types"] = new JsonArray([.. c.Windows.Select(w => new JsonArray(new JsonArray(w > 0 ? "local" : "global"), 1))]);
    }

    private static IEnumerable<(string Name, long[] Shape)> Shapes(ModelConfig c)
    {
        long hidden = c.HiddenSize, inner = c.IntermediateSize;
        yield return ("transformer.wte.weight", [c.VocabularySize, hidden]);
        yield return ("transformer.wpe.weight", [c.MaxPositions, hidden]);
        for (var i = 0; i < c.Layers; i++)
        {
            (string Name, long[] Weight, bool Bias)[] parts =
            [
                ("ln_1", [hidden], true), ("attn.attention.k_proj", [hidden, hidden], false), ("attn.attention.v_proj", [hidden, hidden], false),
                ("attn.attention.q_proj", [hidden, hidden], false), ("attn.attention.out_proj", [hidden, hidden], true),
                ("ln_2", [hidden], true), ("mlp.c_fc", [inner, hidden], true), ("mlp.c_proj", [hidden, inner], true),
            ];
            foreach (var (name, weight, bias) in parts)
            {
                yield return ($"transformer.h.{i}.{name}.weight", weight);
                if (bias)
                {
                    yield return ($"transformer.h.{i}.{name}.bias", [weight[0]]);
                }
            }
        }

        yield return ("transformer.ln_f.weight", [hidden]);
        yield return ("transformer.ln_f.bias", [hidden]);
        if (!c.TieWordEmbeddings)
        {
            yield return ("lm_head.weight", [c.VocabularySize, hidden]);
        }
    }
}
