namespace Temper.Engine.Models;

/// <summary>Mistral: Llama whose layers look back over a window (Jiang et al. 2023).</summary>
internal static class Mistral
{
    public static Family Family { get; } = new(
        Architecture.Mistral, "mistral", "MistralForCausalLM",
        f =>
        {
            f.Expect("attention_bias", false);
            var config = Llama.Read(f, Architecture.Mistral);
            return config with { Windows = f.Windows(config.Layers, f.Integer("sliding_window", 1, 1 << 21, 0)) };
        },
        (c, json) => json["sliding_window"] = c.Windows.Count == 0 ? null : c.Windows[0],
        c => Llama.Shapes(c), (c, p) => new Llama(c, p), "model.", "rotary_emb.inv_freq");
}
