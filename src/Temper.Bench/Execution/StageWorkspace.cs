using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Temper.Bench.Planning;
using Temper.Bench.Store;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Tokenizers;
using Temper.Lifecycle;

namespace Temper.Bench.Execution;

/// <summary>What a stage reads and where it writes. Owns the models that it opened.</summary>
internal sealed class StageWorkspace(ObjectStore store, Stage stage, string output) : IDisposable
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private readonly List<IDisposable> _opened = [];
    private Tokenizer? _tokenizer;

    public Stage Stage => stage;

    /// <summary>The folder of this stage's output.</summary>
    public string Output => output;

    public JsonObject Parameters => stage.Parameters;

    public bool Has(string input) => stage.Inputs.ContainsKey(input);

    public string Folder(string input) => store.Folder(stage.Inputs[input]);

    public T Parameter<T>(string name) => Parameters[name]!.GetValue<T>();

    public CausalModel Model(string input)
    {
        var model = Checkpoint.Load(Folder(input));
        _opened.Add(model);
        return model;
    }

    /// <summary>Disposes something with the workspace, if it needs that.</summary>
    public T Own<T>(T value)
    {
        if (value is IDisposable disposable)
        {
            _opened.Add(disposable);
        }

        return value;
    }

    /// <summary>The tokenizer of an input that is a checkpoint.</summary>
    public Tokenizer Tokenizer(string input) => _tokenizer ??= Engine.Tokenizers.Tokenizer.Load(Path.Combine(Folder(input), "tokenizer.json"));

    public IReadOnlyList<Example> Rows(string input) => ReadLinesOf<Example>(Path.Combine(Folder(input), "rows.jsonl"));

    public IReadOnlyList<T> Lines<T>(string input, string file) => ReadLinesOf<T>(Path.Combine(Folder(input), file));

    public T Read<T>(string input, string file) => JsonSerializer.Deserialize<T>(File.ReadAllBytes(Path.Combine(Folder(input), file)), s_json)!;

    public void WriteLines<T>(string file, IEnumerable<T> lines) => File.WriteAllLines(Path.Combine(output, file), lines.Select(l => JsonSerializer.Serialize(l, s_json)));

    public void Write<T>(string file, T value) => File.WriteAllText(Path.Combine(output, file), JsonSerializer.Serialize(value, s_json));

    public static T ReadFile<T>(string path) => JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), s_json)!;

    /// <summary>What a technique may draw on.</summary>
    /// <param name="checkpoint">The input whose tokenizer encodes.</param>
    public TechniqueContext Context(JsonObject technique, string checkpoint)
    {
        var format = Has(checkpoint) ? new ChatFormat(Tokenizer(checkpoint)) : null;
        IReadOnlyList<Example> Optional(string input) => Has(input) ? Rows(input) : [];
        return new()
        {
            Random = new Random(Seed(technique)),
            Harmful = Optional("harmful"), Alignment = Optional("alignment"), LookAlikes = Optional("look-alikes"), Task = Optional("task"), Foreign = Optional("foreign"),
            Prompt = (messages, prefill) => Need(format).Prompt(messages, prefill),
            Encode = row => Need(format).Encode(row),
            Decode = ids =>
            {
                Need(format);
                return Tokenizer(checkpoint).Decode([.. ids]);
            },
            Model = Has("reference") ? Model("reference") : null,
            Unaligned = Has("unaligned") ? Model("unaligned") : null,
            Before = Has("before") ? Model("before") : null,
        };
    }

    public static object Create(JsonObject technique) =>
        Catalog.Find(technique["technique"]!.GetValue<string>(), technique["attack"]!.GetValue<bool>()).Create(technique["settings"]!.ToJsonString());

    public void Dispose() => _opened.ForEach(o => o.Dispose());

    // another technique, another chance; the same in every cell
    private int Seed(JsonObject technique) =>
        int.Parse(Stage.Hash($"{technique["technique"]} {Parameters["seed"]}").AsSpan(0, 7), System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture);

    private ChatFormat Need(ChatFormat? format) => format ?? throw new TemperException($"{stage.Title}: found no checkpoint to encode for, expected one among the inputs");

    public static IReadOnlyList<T> ReadLinesOf<T>(string path) => [.. File.ReadLines(path).Select(l => JsonSerializer.Deserialize<T>(l, s_json)!)];
}
