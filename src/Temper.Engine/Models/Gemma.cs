using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>What Gemma 2 and Gemma 3 share: scaled embeddings, norms that count from one and stand before and behind, gated GELU, layers that look back over a window between others.</summary>
internal sealed class Gemma : RotaryModel
{
    private readonly Layer[] layers;

    private sealed record Layer(
        Tensor InputNorm, Linear Q, Linear K, Linear V, Linear O, Tensor? QNorm, Tensor? KNorm, Tensor AttentionNorm, Tensor MlpNorm, Linear Gate, Linear Up, Linear Down, Tensor OutputNorm);

    public Gemma(ModelConfig config, IReadOnlyDictionary<string, Tensor> parameters) : base(config, parameters)
    {
        layers = [.. Enumerable.Range(0, config.Layers).Select(i => $"model.layers.{i}").Select(at => new Layer(
            parameters[$"{at}.input_layernorm.weight"],
            Get($"{at}.self_attn.q_proj"), Get($"{at}.self_attn.k_proj"), Get($"{at}.self_attn.v_proj"), Get($"{at}.self_attn.o_proj"),
            parameters.GetValueOrDefault($"{at}.self_attn.q_norm.weight"), parameters.GetValueOrDefault($"{at}.self_attn.k_norm.weight"),
            parameters[$"{at}.post_attention_layernorm.weight"], parameters[$"{at}.pre_feedforward_layernorm.weight"],
            Get($"{at}.mlp.gate_proj"), Get($"{at}.mlp.up_proj"), Get($"{at}.mlp.down_proj"), parameters[$"{at}.post_feedforward_layernorm.weight"]))];
        Linears = [.. layers.SelectMany(l => new[] { l.Q, l.K, l.V, l.O, l.Gate, l.Up, l.Down })];
    }

    public override IReadOnlyList<Linear> Linears { get; }

    /// <summary>What both say in config.json.</summary>
    /// <param name="pattern">Every how many layers one looks at everything.</param>
    public static ModelConfig Read(ConfigReader fields, Architecture architecture, int pattern)
    {
        fields.Expect("use_bidirectional_attention", false);
        var config = Llama.Read(fields, architecture, 1e-6, fields.Has("hidden_activation") ? "hidden_activation" : "hidden_act", tied: true);
        return config with
        {
            AttentionBias = fields.Flag("attention_bias", false),
            QueryScale = fields.Number("query_pre_attn_scalar", 1e-6, 1e6, 256),
            AttentionSoftcap = fields.Positive("attn_logit_softcapping"),
            LogitSoftcap = fields.Positive("final_logit_softcapping"),
            Windows = fields.Windows(config.Layers, fields.Integer("sliding_window", 1, 1 << 21, 4096), layer => (layer + 1) % pattern != 0),
        };
    }

    public static void Write(ModelConfig c, System.Text.Json.Nodes.JsonObject json)
    {
        json.Remove("hidden_act");
        (json["hidden_activation"], json["attention_bias"], json["query_pre_attn_scalar"]) = ("gelu_pytorch_tanh", c.AttentionBias, c.QueryScale);
        (json["attn_logit_softcapping"], json["final_logit_softcapping"]) = (c.AttentionSoftcap, c.LogitSoftcap);
        (json["sliding_window"], json["layer_types"]) = (c.Windows.DefaultIfEmpty().Max() is > 0 and var window ? window : 4096, ConfigWriter.LayerTypes(c));
    }

    public static IEnumerable<(string Name, long[] Shape)> Shapes(ModelConfig c, bool headNorms)
    {
        foreach (var (name, shape) in Llama.Shapes(c, headNorms: headNorms))
        {
            yield return (name, shape);
            if (name.EndsWith("post_attention_layernorm.weight", StringComparison.Ordinal))
            {
                yield return (name.Replace("post_attention", "pre_feedforward", StringComparison.Ordinal), shape);
                yield return (name.Replace("post_attention", "post_feedforward", StringComparison.Ordinal), shape);
            }
        }
    }

    protected override Tensor Enter(Tensor embeddings, Tensor positions) => embeddings * Math.Sqrt(Config.HiddenSize);

    protected override Tensor RmsNorm(Tensor x, Tensor weight) => Fused.RmsNorm(x, weight + 1, Config.NormEpsilon);

    protected override Tensor Block(int layer, Tensor x, Tensor[] state, ActivationTap tap, ForwardOptions options)
    {
        using var scope = NewDisposeScope();
        var l = layers[layer];
        var qkv = Linear.Together(RmsNorm(x, l.InputNorm), options.Precision, l.Q, l.K, l.V).split([l.Q.OutFeatures, l.K.OutFeatures, l.V.OutFeatures], -1);
        Tensor Head(Tensor value, int heads, Tensor? norm) => Rotate(layer, norm is null ? Split(value, heads) : RmsNorm(Split(value, heads), norm), state);
        var attention = Attend(layer, Head(qkv[0], Config.Heads, l.QNorm), Head(qkv[1], Config.KeyValueHeads, l.KNorm), Split(qkv[2], Config.KeyValueHeads), options);
        x = x + tap(Site.AttentionOutput, layer, RmsNorm(l.O.Apply(attention, options.Precision), l.AttentionNorm));
        var halves = Linear.Together(RmsNorm(x, l.MlpNorm), options.Precision, l.Gate, l.Up).chunk(2, -1);
        var inner = tap(Site.MlpHidden, layer, Config.Activation.Apply(halves[0]) * halves[1]);
        return (x + tap(Site.MlpOutput, layer, RmsNorm(l.Down.Apply(inner, options.Precision), l.OutputNorm))).MoveToOuterDisposeScope();
    }
}
