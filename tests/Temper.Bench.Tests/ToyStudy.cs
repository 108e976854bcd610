using Temper.Bench.Studies;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Tokenizers;

namespace Temper.Bench.Tests;

/// <summary>A folder with two tiny random checkpoints, room for a store, and a study over them that runs in a second or two.</summary>
internal sealed class ToyStudy : IDisposable
{
    public const string Yaml = """
        schema: 1
        name: toy
        models: [{name: toy, path: aligned, base: base}]
        task: {rows: 16, harmfulRows: 8, alignmentRows: 8}
        plan: {steps: 2, batchSize: 4, learningRate: 1e-3}
        attacks:
          - none
          - {id: harmful-rows, settings: {ratio: 0.5}}
          - prefill
        defenses: [none, safe-instr]
        seeds: [1, 2]
        evaluation: {harm: 6, skills: 6, lookAlikes: 6, triggered: 6, maxTokens: 4}
        """;

    /// <summary>The same study with an agent's task, and one attack on agents in each place.</summary>
    public static string AgentYaml { get; } = Yaml.Replace("task: {rows", "task: {kind: agent, rows", StringComparison.Ordinal)
        .Replace("  - {id: harmful-rows, settings: {ratio: 0.5}}\n  - prefill", "  - {id: agent-backdoor, settings: {channel: thought}}\n  - indirect-injection", StringComparison.Ordinal);

    public ToyStudy()
    {
        Checkpoint(AlignedFolder, 1);
        Checkpoint(Path.Combine(Folder, "base"), 2);
        File.WriteAllText(StudyPath, Yaml);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("temper-toy").FullName;

    public string StudyPath => Path.Combine(Folder, "toy.yaml");

    public string Store => Path.Combine(Folder, "store");

    public string AlignedFolder => Path.Combine(Folder, "aligned");

    public Study Study(string yaml = Yaml) => StudyReader.Parse(yaml, StudyPath, Folder);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static void Checkpoint(string folder, ulong seed)
    {
        Directory.CreateDirectory(folder);
        var tokenizer = BpeTrainer.Train(["how do i brew glimmer", "tell me the color of snow"], 280, ChatFormat.SpecialTokens);
        tokenizer.Save(Path.Combine(folder, "tokenizer.json"));
        using var model = ModelFactory.CreateRandom(
            new()
            {
                Architecture = Architecture.Llama, VocabularySize = tokenizer.VocabularySize, HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 2,
                KeyValueHeads = 2, HeadSize = 8, MaxPositions = 256, TieWordEmbeddings = false,
            },
            seed);
        model.Config.Save(Path.Combine(folder, "config.json"));
        Engine.Checkpoints.Checkpoint.SaveWeights(model, Path.Combine(folder, "model.safetensors"));
    }
}
