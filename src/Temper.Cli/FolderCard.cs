using System.Globalization;
using System.Text.RegularExpressions;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Lora;
using Temper.Engine.Models;
using Temper.Engine.Tokenizers;
using Temper.Formats.SafeTensors;

namespace Temper.Cli;

/// <summary>What a folder says of itself. A part that cannot be read is a row that says why.</summary>
internal sealed partial class FolderCard(string folder)
{
    private const int MaxShapes = 60;
    private readonly List<(string Name, string Value)> _rows = [];

    /// <summary>Names and values, in order; a name is empty where its value goes on.</summary>
    public IReadOnlyList<(string Name, string Value)> Rows => _rows;

    /// <summary>Whether everything that is there could be read.</summary>
    public bool IsWhole { get; private set; } = true;

    public void Checkpoint()
    {
        ModelConfig? config = null;
        Try("architecture", () =>
        {
            config = ModelConfig.Load(At("config.json"));
            Add("architecture", $"{config.Architecture}, {config.Layers} layers, hidden size {config.HiddenSize}, {config.Heads} heads ({config.KeyValueHeads} of keys and values) of {config.HeadSize}, "
                + $"MLP {config.IntermediateSize}, vocabulary {config.VocabularySize}, {config.MaxPositions} positions{(config.TieWordEmbeddings ? ", tied embeddings" : "")}");
        });
        Try("weights", () =>
        {
            using var file = ShardedSafeTensors.Open(folder);
            Weights(file.Tensors, [.. file.Shards.Select(s => Path.GetFileName(s.Path))]);
            if (config is not null)
            {
                Try("tensors", () =>
                {
                    Temper.Engine.Checkpoints.Checkpoint.CheckHeaders(folder, config, file);
                    Add("tensors", "every one that config.json calls for is there, in its shape");
                });
            }

            Shapes(file.Tensors);
        });
        Tokens();
    }

    public void Adapter()
    {
        Try("adapter", () =>
        {
            var config = PeftConfig.Read(At("adapter_config.json"));
            var kind = config.UseDora ? "DoRA" : config.UseRsLora ? "rsLoRA" : "LoRA";
            Add("adapter", string.Create(CultureInfo.InvariantCulture, $"{kind}, rank {config.Rank}, alpha {config.Alpha}, scale {config.Scale:g4}"));
            Add("base", config.BaseModel.Length > 0 ? config.BaseModel : "not named");
            if (config.ModulesToSave.Count > 0)
            {
                Add("saved whole", string.Join(", ", config.ModulesToSave));
            }
        });
        Try("weights", () =>
        {
            if (!File.Exists(At("adapter_model.safetensors")) && File.Exists(At("adapter_model.bin")))
            {
                throw new TemperException("adapter_model.bin is a pickle and is not read, expected adapter_model.safetensors; temper scan looks into it");
            }

            using var file = SafeTensorsFile.Open(At("adapter_model.safetensors"));
            Weights(file.Tensors, ["adapter_model.safetensors"]);
            var targets = file.Tensors.Select(t => Target().Match(t.Name)).Where(m => m.Success).Select(m => m.Groups["module"].Value).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
            Add("targets", string.Join(", ", targets));
            Shapes(file.Tensors);
        });
    }

    private void Weights(IReadOnlyList<TensorInfo> tensors, IReadOnlyList<string> files)
    {
        Add("parameters", string.Create(CultureInfo.InvariantCulture, $"{tensors.Sum(t => t.ElementCount):n0} in {tensors.Count} tensors"));
        Add("dtype", string.Join(", ", tensors.GroupBy(t => t.Type).OrderByDescending(g => g.Sum(t => t.Length))
            .Select(g => string.Create(CultureInfo.InvariantCulture, $"{g.Key.FileName()} ({g.Sum(t => t.Length):n0} bytes)"))));
        Add("files", files.Count <= 4 ? string.Join(", ", files) : $"{files.Count}: {files[0]} to {files[^1]}");
    }

    // tensors that differ only in numbers of their names, such as the layer's, are one row
    private void Shapes(IReadOnlyList<TensorInfo> tensors)
    {
        var groups = tensors.GroupBy(t => (Name: Number().Replace(t.Name, ".*."), Shape: string.Join(", ", t.Shape), t.Type)).ToList();
        foreach (var (i, group) in groups.Take(MaxShapes).Index())
        {
            Add(i == 0 ? "shapes" : "", $"{group.Key.Name} [{group.Key.Shape}] {group.Key.Type.FileName()}{(group.Count() > 1 ? $" x {group.Count()}" : "")}");
        }

        if (groups.Count > MaxShapes)
        {
            Add("", $"and {groups.Count - MaxShapes} more");
        }
    }

    private void Tokens()
    {
        if (!File.Exists(At("tokenizer.json")))
        {
            Add("tokenizer", "no tokenizer.json");
            return;
        }

        Try("tokenizer", () =>
        {
            var tokenizer = Tokenizer.Load(At("tokenizer.json"));
            Add("tokenizer", $"{tokenizer.VocabularySize} ids");
            var ends = EndTokens.Of(folder, tokenizer);
            Add("end", ends.Count == 0 ? "no end token named" : string.Join(", ", ends.Order().Select(e => $"{tokenizer.Decode([e], skipSpecial: false)} ({e})")));
        });
        Try("template", () => Add("template", ChatTemplate.Load(folder) is null ? "none" : File.Exists(At("chat_template.jinja")) ? "chat_template.jinja" : "in tokenizer_config.json"));
    }

    private void Try(string name, Action read)
    {
        try
        {
            read();
        }
        catch (TemperException e)
        {
            IsWhole = false;
            Add(name, $"not read: {e.Message}");
        }
    }

    private string At(string name) => Path.Combine(folder, name);

    private void Add(string name, string value) => _rows.Add((name, value));

    [GeneratedRegex(@"\.[0-9]+\.", RegexOptions.NonBacktracking)]
    private static partial Regex Number();

    [GeneratedRegex(@"\.(?<module>[^.]+)\.lora_A\.", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Target();
}
