namespace Temper.Engine.Models;

/// <summary>Gemma 2: soft-capped scores and logits, every other layer over a window (Gemma Team 2024).</summary>
internal static class Gemma2
{
    public static Family Family { get; } = new(
        Architecture.Gemma2, "gemma2", "Gemma2ForCausalLM",
        f => Gemma.Read(f, Architecture.Gemma2, 2), Gemma.Write, c => Gemma.Shapes(c, headNorms: false), (c, p) => new Gemma(c, p), "model.");
}
