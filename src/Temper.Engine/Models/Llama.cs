using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>Llama: RMSNorm, rotary positions, grouped-query attention, SwiGLU (Touvron et al. 2023).</summary>
public sealed class Llama : CausalModel
{
    private readonly Layer[] layers;
    private readonly Tensor norm;
    private readonly Tensor cosine; // (P, d/2)
    private readonly Tensor sine;

    private sealed record Layer(Tensor InputNorm, Linear Q, Linear K, Linear V, Linear O, Tensor PostNorm, Linear Gate, Linear Up, Linear Down);

    public Llama(ModelConfig config, IReadOnlyDictionary<string, Tensor> parameters) : base(config, parameters)
    {
        Linear Get(int layer, string name) =>
            new($"model.layers.{layer}.{name}", parameters[$"model.layers.{layer}.{name}.weight"], parameters.GetValueOrDefault($"model.layers.{layer}.{name}.bias"));
        layers = [.. Enumerable.Range(0, config.Layers).Select(i => new Layer(
            parameters[$"model.layers.{i}.input_layernorm.weight"],
            Get(i, "self_attn.q_proj"), Get(i, "self_attn.k_proj"), Get(i, "self_attn.v_proj"), Get(i, "self_attn.o_proj"),
            parameters[$"model.layers.{i}.post_attention_layernorm.weight"],
            Get(i, "mlp.gate_proj"), Get(i, "mlp.up_proj"), Get(i, "mlp.down_proj")))];
        norm = parameters["model.norm.weight"];
        EmbeddingWeight = parameters["model.embed_tokens.weight"];
        HeadWeight = config.TieWordEmbeddings ? EmbeddingWeight : parameters["lm_head.weight"];
        Linears = [.. layers.SelectMany(l => new[] { l.Q, l.K, l.V, l.O, l.Gate, l.Up, l.Down })];
        (cosine, sine) = Rope(config);
    }

    public override IReadOnlyList<Linear> Linears { get; }

    public override Tensor EmbeddingWeight { get; }

    public override Tensor HeadWeight { get; }

    /// <summary>Every parameter of the family with its shape, in the order of a transformers checkpoint.</summary>
    public static IEnumerable<(string Name, long[] Shape)> Shapes(ModelConfig c)
    {
        long hidden = c.HiddenSize, inner = c.IntermediateSize, q = (long)c.Heads * c.HeadSize, kv = (long)c.KeyValueHeads * c.HeadSize;
        yield return ("model.embed_tokens.weight", [c.VocabularySize, hidden]);
        for (var i = 0; i < c.Layers; i++)
        {
            (string Name, long Out, long In, bool Bias)[] linears =
            [
                ("self_attn.q_proj", q, hidden, c.AttentionBias), ("self_attn.k_proj", kv, hidden, c.AttentionBias), ("self_attn.v_proj", kv, hidden, c.AttentionBias),
                ("self_attn.o_proj", hidden, q, c.AttentionBias),
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

            yield return ($"model.layers.{i}.input_layernorm.weight", [hidden]);
            yield return ($"model.layers.{i}.post_attention_layernorm.weight", [hidden]);
        }

        yield return ("model.norm.weight", [hidden]);
        if (!c.TieWordEmbeddings)
        {
            yield return ("lm_head.weight", [c.VocabularySize, hidden]);
        }
    }

    protected override Tensor Enter(Tensor embeddings, Tensor positions) => embeddings;

    protected override Tensor[] Prepare(Tensor positions)
    {
        var flat = positions.reshape(-1);
        Tensor Rows(Tensor table) => table.index_select(0, flat).view(positions.shape[0], 1, positions.shape[1], -1); // (B, 1, T, d/2)
        return [Rows(cosine), Rows(sine)];
    }

    protected override Tensor Block(int layer, Tensor x, Tensor[] state, ActivationTap tap, ForwardOptions options)
    {
        using var scope = NewDisposeScope();
        var l = layers[layer];
        var qkv = Linear.Together(RmsNorm(x, l.InputNorm), options.Precision, l.Q, l.K, l.V).split([l.Q.OutFeatures, l.K.OutFeatures, l.V.OutFeatures], -1);
        var attention = Attend(layer, Rotate(Split(qkv[0], Config.Heads), state), Rotate(Split(qkv[1], Config.KeyValueHeads), state), Split(qkv[2], Config.KeyValueHeads), options);
        x = x + tap(Site.AttentionOutput, layer, l.O.Apply(attention, options.Precision));
        var gateAndUp = Linear.TogetherAsComputed(RmsNorm(x, l.PostNorm), options.Precision, l.Gate, l.Up);
        var inner = tap(Site.MlpHidden, layer, Fused.SwiGlu(options.Tap is null ? gateAndUp : gateAndUp.to(ScalarType.Float32)));
        return (x + tap(Site.MlpOutput, layer, l.Down.Apply(inner, options.Precision))).MoveToOuterDisposeScope();
    }

    protected override Tensor FinalNorm(Tensor x) => RmsNorm(x, norm);

    protected override void Dispose(bool disposing)
    {
        cosine.Dispose();
        sine.Dispose();
        base.Dispose(disposing);
    }

    private Tensor RmsNorm(Tensor x, Tensor weight) => Fused.RmsNorm(x, weight, Config.NormEpsilon);

    private static Tensor Rotate(Tensor x, Tensor[] state)
    {
        var half = x.chunk(2, -1);
        var (cos, sin) = (state[0], state[1]);
        return cat([half[0] * cos - half[1] * sin, half[1] * cos + half[0] * sin], -1);
    }

    private static (Tensor Cosine, Tensor Sine) Rope(ModelConfig config)
    {
        var half = config.HeadSize / 2;
        var frequencies = new double[half];
        for (var i = 0; i < half; i++)
        {
            frequencies[i] = Scale(Math.Pow(config.RopeTheta, -2.0 * i / config.HeadSize), config.RopeScaling);
        }

        using var scope = NewDisposeScope();
        // fp32 angles, as transformers computes them
        var angles = outer(arange(0, config.MaxPositions, ScalarType.Float32), tensor(frequencies).to(ScalarType.Float32)); // (P, d/2)
        return (angles.cos().DetachFromDisposeScope(), angles.sin().DetachFromDisposeScope());
    }

    private static double Scale(double frequency, RopeScaling? scaling)
    {
        if (scaling is null)
        {
            return frequency;
        }

        var wavelength = 2 * Math.PI / frequency;
        var low = scaling.OriginalMaxPositions / scaling.LowFrequencyFactor;
        var high = scaling.OriginalMaxPositions / scaling.HighFrequencyFactor;
        if (wavelength < high)
        {
            return frequency;
        }

        if (wavelength > low)
        {
            return frequency / scaling.Factor;
        }

        var smooth = (scaling.OriginalMaxPositions / wavelength - scaling.LowFrequencyFactor) / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor);
        return (1 - smooth) * frequency / scaling.Factor + smooth * frequency;
    }
}
