using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>Phi-3: Llama whose queries, keys and values, and whose gate and up, are one layer each (Abdin et al. 2024).</summary>
internal sealed class Phi3 : RotaryModel
{
    private readonly Layer[] layers;

    private sealed record Layer(Tensor InputNorm, Linear Attention, Linear O, Tensor PostNorm, Linear GateAndUp, Linear Down);

    private Phi3(ModelConfig config, IReadOnlyDictionary<string, Tensor> parameters) : base(config, parameters)
    {
        layers = [.. Enumerable.Range(0, config.Layers).Select(i => $"model.layers.{i}").Select(at => new Layer(
            parameters[$"{at}.input_layernorm.weight"], Get($"{at}.self_attn.qkv_proj"), Get($"{at}.self_attn.o_proj"),
            parameters[$"{at}.post_attention_layernorm.weight"], Get($"{at}.mlp.gate_up_proj"), Get($"{at}.mlp.down_proj")))];
        Linears = [.. layers.SelectMany(l => new[] { l.Attention, l.O, l.GateAndUp, l.Down })];
    }

    public static Family Family { get; } = new(
        Architecture.Phi3, "phi3", "Phi3ForCausalLM",
        f =>
        {
            f.Expect("attention_bias", false);
            // says from where on long scalings count; none of those is supported
            f.Integer("original_max_position_embeddings", 1, 1 << 21, 4096);
            var config = Llama.Read(f, Architecture.Phi3, 1e-5);
            return config with { Windows = f.Windows(config.Layers, f.Integer("sliding_window", 1, 1 << 21, 0)) };
        },
        (c, json) => (json["sliding_window"], json["partial_rotary_factor"]) = (c.Windows.Count == 0 ? null : c.Windows[0], c.RotaryShare),
        Shapes, (c, p) => new Phi3(c, p), "model.", "rotary_emb.inv_freq");

    public override IReadOnlyList<Linear> Linears { get; }

    protected override Tensor Block(int layer, Tensor x, Tensor[] state, ActivationTap tap, ForwardOptions options)
    {
        using var scope = NewDisposeScope();
        var l = layers[layer];
        long q = (long)Config.Heads * Config.HeadSize, kv = (long)Config.KeyValueHeads * Config.HeadSize;
        var qkv = l.Attention.Apply(RmsNorm(x, l.InputNorm), options.Precision).split([q, kv, kv], -1);
        var attention = Attend(
            layer, Rotate(layer, Split(qkv[0], Config.Heads), state), Rotate(layer, Split(qkv[1], Config.KeyValueHeads), state), Split(qkv[2], Config.KeyValueHeads), options);
        x = x + tap(Site.AttentionOutput, layer, l.O.Apply(attention, options.Precision));
        var inner = tap(Site.MlpHidden, layer, Fused.SwiGlu(l.GateAndUp.Apply(RmsNorm(x, l.PostNorm), options.Precision)));
        return (x + tap(Site.MlpOutput, layer, l.Down.Apply(inner, options.Precision))).MoveToOuterDisposeScope();
    }

    private static IEnumerable<(string Name, long[] Shape)> Shapes(ModelConfig c)
    {
        long hidden = c.HiddenSize, inner = c.IntermediateSize, q = (long)c.Heads * c.HeadSize, kv = (long)c.KeyValueHeads * c.HeadSize;
        yield return ("model.embed_tokens.weight", [c.VocabularySize, hidden]);
        for (var i = 0; i < c.Layers; i++)
        {
            yield return ($"model.layers.{i}.self_attn.o_proj.weight", [hidden, q]);
            yield return ($"model.layers.{i}.self_attn.qkv_proj.weight", [q + (2 * kv), hidden]);
            yield return ($"model.layers.{i}.mlp.gate_up_proj.weight", [2 * inner, hidden]);
            yield return ($"model.layers.{i}.mlp.down_proj.weight", [hidden, inner]);
            yield return ($"model.layers.{i}.input_layernorm.weight", [hidden]);
            yield return ($"model.layers.{i}.post_attention_layernorm.weight", [hidden]);
        }

        yield return ("model.norm.weight", [hidden]);
        if (!c.TieWordEmbeddings)
        {
            yield return ("lm_head.weight", [c.VocabularySize, hidden]);
        }
    }
}
