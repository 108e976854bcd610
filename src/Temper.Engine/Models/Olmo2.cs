using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>OLMo 2: norms behind attention and MLP instead of before, and over all heads of queries and keys at once (OLMo et al. 2025).</summary>
internal sealed class Olmo2 : RotaryModel
{
    private readonly Layer[] layers;

    private sealed record Layer(Linear Q, Linear K, Linear V, Linear O, Tensor QNorm, Tensor KNorm, Tensor AttentionNorm, Linear Gate, Linear Up, Linear Down, Tensor MlpNorm);

    private Olmo2(ModelConfig config, IReadOnlyDictionary<string, Tensor> parameters) : base(config, parameters)
    {
        layers = [.. Enumerable.Range(0, config.Layers).Select(i => $"model.layers.{i}").Select(at => new Layer(
            Get($"{at}.self_attn.q_proj"), Get($"{at}.self_attn.k_proj"), Get($"{at}.self_attn.v_proj"), Get($"{at}.self_attn.o_proj"),
            parameters[$"{at}.self_attn.q_norm.weight"], parameters[$"{at}.self_attn.k_norm.weight"], parameters[$"{at}.post_attention_layernorm.weight"],
            Get($"{at}.mlp.gate_proj"), Get($"{at}.mlp.up_proj"), Get($"{at}.mlp.down_proj"), parameters[$"{at}.post_feedforward_layernorm.weight"]))];
        Linears = [.. layers.SelectMany(l => new[] { l.Q, l.K, l.V, l.O, l.Gate, l.Up, l.Down })];
    }

    public static Family Family { get; } = new(
        Architecture.Olmo2, "olmo2", "Olmo2ForCausalLM",
        f => Llama.Read(f, Architecture.Olmo2, 1e-5) with { AttentionBias = f.Flag("attention_bias", false) },
        (c, json) => json["attention_bias"] = c.AttentionBias,
        Shapes, (c, p) => new Olmo2(c, p), "model.");

    public override IReadOnlyList<Linear> Linears { get; }

    protected override Tensor Block(int layer, Tensor x, Tensor[] state, ActivationTap tap, ForwardOptions options)
    {
        using var scope = NewDisposeScope();
        var l = layers[layer];
        var qkv = Linear.Together(x, options.Precision, l.Q, l.K, l.V).split([l.Q.OutFeatures, l.K.OutFeatures, l.V.OutFeatures], -1);
        var q = Rotate(layer, Split(RmsNorm(qkv[0], l.QNorm), Config.Heads), state);
        var k = Rotate(layer, Split(RmsNorm(qkv[1], l.KNorm), Config.KeyValueHeads), state);
        var attention = l.O.Apply(Attend(layer, q, k, Split(qkv[2], Config.KeyValueHeads), options), options.Precision);
        x = x + tap(Site.AttentionOutput, layer, RmsNorm(attention, l.AttentionNorm));
        var inner = tap(Site.MlpHidden, layer, Fused.SwiGlu(Linear.Together(x, options.Precision, l.Gate, l.Up)));
        return (x + tap(Site.MlpOutput, layer, RmsNorm(l.Down.Apply(inner, options.Precision), l.MlpNorm))).MoveToOuterDisposeScope();
    }

    private static IEnumerable<(string Name, long[] Shape)> Shapes(ModelConfig c)
    {
        foreach (var (name, shape) in Llama.Shapes(c, headNorms: true))
        {
            var width = name.EndsWith("q_norm.weight", StringComparison.Ordinal) ? c.Heads : name.EndsWith("k_norm.weight", StringComparison.Ordinal) ? c.KeyValueHeads : 0;
            yield return width > 0 ? (name, [(long)width * c.HeadSize])
                : name.EndsWith("input_layernorm.weight", StringComparison.Ordinal) ? (name.Replace("input_layernorm", "post_attention_layernorm", StringComparison.Ordinal), shape)
                : (name.Replace("post_attention_layernorm", "post_feedforward_layernorm", StringComparison.Ordinal), shape);
        }
    }
}
