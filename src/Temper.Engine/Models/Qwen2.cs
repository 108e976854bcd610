namespace Temper.Engine.Models;

/// <summary>Qwen2: Llama with biases on queries, keys and values (Yang et al. 2024).</summary>
internal static class Qwen2
{
    public static Family Family { get; } = new(
        Architecture.Qwen2, "qwen2", "Qwen2ForCausalLM",
        f => Windowed(f, Llama.Read(f, Architecture.Qwen2) with { AttentionBias = true }),
        WriteWindows,
        c => Llama.Shapes(c, outputBias: false), (c, p) => new Llama(c, p), "model.");

    /// <summary>Of Qwen, the layers from max_window_layers on look back over a window where use_sliding_window says so.</summary>
    public static ModelConfig Windowed(ConfigReader fields, ModelConfig config)
    {
        var window = fields.Integer("sliding_window", 1, 1 << 21, 0);
        var first = fields.Integer("max_window_layers", 0, 1 << 20, 28);
        return config with { Windows = fields.Windows(config.Layers, fields.Flag("use_sliding_window", false) ? window : 0, layer => layer >= first) };
    }

    public static void WriteWindows(ModelConfig config, System.Text.Json.Nodes.JsonObject json)
    {
        json["use_sliding_window"] = config.Windows.Count > 0;
        json["sliding_window"] = config.Windows.Count > 0 ? config.Windows.Max() : null;
        json["layer_types"] = ConfigWriter.LayerTypes(config);
    }
}
