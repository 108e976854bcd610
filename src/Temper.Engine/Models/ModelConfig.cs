using System.Text.Json;
using Temper.Core;

namespace Temper.Engine.Models;

/// <summary>The supported families.</summary>
public enum Architecture { Llama, Gpt2, Gemma2, Gemma3Text, GptNeo, GptNeoX, Mistral, Olmo2, Opt, Phi3, Qwen2, Qwen3 }

/// <summary>How the rotary frequencies are stretched, as transformers defines it.</summary>
public abstract record RopeScaling(double Factor);

/// <summary>All frequencies divided by the factor (position interpolation, Chen et al. 2023).</summary>
public sealed record LinearRopeScaling(double Factor) : RopeScaling(Factor);

/// <summary>llama3: long wavelengths divided by the factor, short ones kept, those between interpolated.</summary>
public sealed record Llama3RopeScaling(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalMaxPositions) : RopeScaling(Factor);

/// <summary>The sizes of a causal language model, read strictly from config.json: a key that would change the computation and is not supported is an error.</summary>
public sealed record ModelConfig
{
    public required Architecture Architecture { get; init; }
    public required int VocabularySize { get; init; }
    public required int HiddenSize { get; init; }
    public required int IntermediateSize { get; init; }
    public required int Layers { get; init; }
    public required int Heads { get; init; }
    public required int KeyValueHeads { get; init; }
    public required int HeadSize { get; init; }
    public required int MaxPositions { get; init; }
    public double NormEpsilon { get; init; } = 1e-5;
    public double RopeTheta { get; init; } = 10_000;
    public RopeScaling? RopeScaling { get; init; }
    public bool TieWordEmbeddings { get; init; } = true;
    public bool AttentionBias { get; init; }
    public bool MlpBias { get; init; }
    public Activation Activation { get; init; } = Activation.GeluTanh;

    /// <summary>The share of a head that is rotated.</summary>
    public double RotaryShare { get; init; } = 1;

    /// <summary>The rotary base of layers that look back over a window; null where it is that of the others.</summary>
    public double? LocalRopeTheta { get; init; }

    /// <summary>How many positions, its own among them, each layer looks back; 0 is all. Empty: all layers look at everything.</summary>
    public IReadOnlyList<int> Windows { get; init; } = [];

    /// <summary>What scores are divided by the square root of; null is the head size.</summary>
    public double? QueryScale { get; init; }

    /// <summary>c of c · tanh(score / c); null is none.</summary>
    public double? AttentionSoftcap { get; init; }

    /// <summary>The same of the logits.</summary>
    public double? LogitSoftcap { get; init; }

    /// <summary>Whether attention and MLP read the same residual (GPT-NeoX).</summary>
    public bool ParallelResidual { get; init; }

    /// <summary>Whether there is a norm behind the last block, and the norms stand before what they serve (OPT).</summary>
    public bool PreNorm { get; init; } = true;

    public int WindowOf(int layer) => Windows.Count == 0 ? 0 : Windows[layer];

    /// <summary>Reads a config.json.</summary>
    /// <exception cref="TemperException">The file is no JSON object, or a field is missing, out of range, unsupported or unknown.</exception>
    public static ModelConfig Load(string path)
    {
        JsonDocument document;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > 1 << 20 } big)
            {
                throw new TemperException($"{path}: found {big.Length} bytes, expected a config.json of at most 1 MiB");
            }

            document = JsonDocument.Parse(File.ReadAllBytes(path), new() { MaxDepth = 32, AllowDuplicateProperties = false });
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new TemperException($"{path}: expected a JSON object, found: {e.Message}", e);
        }

        using (document)
        {
            var fields = new ConfigReader(path, document.RootElement);
            var type = fields.Text("model_type");
            var family = Family.All.FirstOrDefault(f => f.ModelType == type)
                ?? throw fields.Error("model_type", $"\"{type}\"", $"one of: {string.Join(", ", Family.All.Select(f => f.ModelType))}");
            var config = family.Read(fields);
            fields.RefuseUnknown();
            return config;
        }
    }

    /// <summary>Writes the config.json that transformers and <see cref="Load"/> read.</summary>
    public void Save(string path) => File.WriteAllText(path, ConfigWriter.Write(this));
}
