namespace Temper.Engine.Models;

/// <summary>Qwen3: Llama whose queries and keys are normed head by head (Yang et al. 2025).</summary>
internal static class Qwen3
{
    public static Family Family { get; } = new(
        Architecture.Qwen3, "qwen3", "Qwen3ForCausalLM",
        f => Qwen2.Windowed(f, Llama.Read(f, Architecture.Qwen3) with { AttentionBias = f.Flag("attention_bias", false) }),
        (c, json) =>
        {
            json["attention_bias"] = c.AttentionBias;
            Qwen2.WriteWindows(c, json);
        },
        c => Llama.Shapes(c, headNorms: true), (c, p) => new Llama(c, p), "model.");
}
