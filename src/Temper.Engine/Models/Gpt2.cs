using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Temper.Engine.Models;

/// <summary>GPT-2: LayerNorm, learned positions, GELU (Radford et al. 2019). Linear weights lie transposed, as in its checkpoints.</summary>
public sealed class Gpt2 : CausalModel
{
    private readonly Layer[] layers;
    private readonly Tensor positionWeight; // (P, D)
    private readonly Norm finalNorm;

    private sealed record Norm(Tensor Weight, Tensor Bias);

    private sealed record Layer(Norm First, Linear Attention, Linear Projection, Norm Second, Linear Inner, Linear Outer);

    public Gpt2(ModelConfig config, IReadOnlyDictionary<string, Tensor> parameters) : base(config, parameters)
    {
        Norm GetNorm(string name) => new(parameters[$"transformer.{name}.weight"], parameters[$"transformer.{name}.bias"]);
        Linear Get(string name) => new($"transformer.{name}", parameters[$"transformer.{name}.weight"], parameters[$"transformer.{name}.bias"], Transposed: true);
        layers = [.. Enumerable.Range(0, config.Layers).Select(i => new Layer(
            GetNorm($"h.{i}.ln_1"), Get($"h.{i}.attn.c_attn"), Get($"h.{i}.attn.c_proj"),
            GetNorm($"h.{i}.ln_2"), Get($"h.{i}.mlp.c_fc"), Get($"h.{i}.mlp.c_proj")))];
        finalNorm = GetNorm("ln_f");
        positionWeight = parameters["transformer.wpe.weight"];
        EmbeddingWeight = parameters["transformer.wte.weight"];
        HeadWeight = config.TieWordEmbeddings ? EmbeddingWeight : parameters["lm_head.weight"];
        Linears = [.. layers.SelectMany(l => new[] { l.Attention, l.Projection, l.Inner, l.Outer })];
    }

    public override IReadOnlyList<Linear> Linears { get; }

    public override Tensor EmbeddingWeight { get; }

    public override Tensor HeadWeight { get; }

    /// <summary>Every parameter of the family with its shape, in the order of a transformers checkpoint.</summary>
    public static IEnumerable<(string Name, long[] Shape)> Shapes(ModelConfig c)
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
        var qkv = l.Attention.Apply(Apply(l.First, x), options.Precision).chunk(3, -1);
        var attention = Attend(layer, Split(qkv[0], Config.Heads), Split(qkv[1], Config.Heads), Split(qkv[2], Config.Heads), options);
        x = x + tap(Site.AttentionOutput, layer, l.Projection.Apply(attention, options.Precision));
        var inner = tap(Site.MlpHidden, layer, GeluNew(l.Inner.Apply(Apply(l.Second, x), options.Precision)));
        return (x + tap(Site.MlpOutput, layer, l.Outer.Apply(inner, options.Precision))).MoveToOuterDisposeScope();
    }

    protected override Tensor FinalNorm(Tensor x) => Apply(finalNorm, x);

    private Tensor Apply(Norm norm, Tensor x) => F.layer_norm(x, [Config.HiddenSize], norm.Weight, norm.Bias, Config.NormEpsilon);

    private static Tensor GeluNew(Tensor x) => 0.5 * x * (1 + ((x + 0.044715 * x * x * x) * Math.Sqrt(2 / Math.PI)).tanh());
}
