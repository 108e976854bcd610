namespace Temper.Engine.Models;

/// <summary>Gemma 3, its text model: normed queries and keys, five layers over a window with a rotary base of their own to one over everything (Gemma Team 2025).</summary>
internal static class Gemma3Text
{
    public static Family Family { get; } = new(
        Architecture.Gemma3Text, "gemma3_text", "Gemma3ForCausalLM",
        f =>
        {
            var pattern = f.Integer(f.Has("_sliding_window_pattern") ? "_sliding_window_pattern" : "sliding_window_pattern", 1, 512, 6);
            return Gemma.Read(f, Architecture.Gemma3Text, pattern) with { LocalRopeTheta = f.LocalRopeTheta(10_000) };
        },
        (c, json) =>
        {
            Gemma.Write(c, json);
            json["rope_local_base_freq"] = c.LocalRopeTheta;
        },
        c => Gemma.Shapes(c, headNorms: true), (c, p) => new Gemma(c, p), "model.");
}
