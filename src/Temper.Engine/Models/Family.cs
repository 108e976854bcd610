using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>What Temper knows of an architecture: its file of this folder says it.</summary>
/// <param name="Class">The class of transformers that config.json names.</param>
/// <param name="Base">The prefix that checkpoints of the bare model leave away; empty where there are none.</param>
/// <param name="Buffers">Last parts of tensor names that old checkpoints hold and nothing reads.</param>
internal sealed record Family(
    Architecture Architecture,
    string ModelType,
    string Class,
    Func<ConfigReader, ModelConfig> Read,
    Action<ModelConfig, JsonObject> Write,
    Func<ModelConfig, IEnumerable<(string Name, long[] Shape)>> Shapes,
    Func<ModelConfig, IReadOnlyDictionary<string, Tensor>, CausalModel> Create,
    string Base = "",
    params string[] Buffers)
{
    public static IReadOnlyList<Family> All { get; } =
    [
        Gemma2.Family, Gemma3Text.Family, Gpt2.Family, GptNeo.Family, GptNeoX.Family, Llama.Family, Mistral.Family, Olmo2.Family, Opt.Family, Phi3.Family, Qwen2.Family, Qwen3.Family,
    ];

    public static Family Of(ModelConfig config) => All.Single(f => f.Architecture == config.Architecture);
}
