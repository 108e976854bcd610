using System.Collections.Frozen;
using Temper.Formats.Bytes;
using Temper.Formats.Gguf;
using Temper.Formats.SafeTensors;
using Temper.Scan.Folders;
using Temper.Scan.Rules;

namespace Temper.Scan.Adapters;

/// <summary>What a base model says of itself, and the shapes of its layers, from safetensors or GGUF.</summary>
internal sealed class BaseLayers
{
    private readonly Dictionary<string, long[]> _shapes = new(StringComparer.Ordinal);
    private bool _hasTransformers;
    private bool _hasGgml;

    // GGUF's names of layers in those of transformers.
    private static readonly FrozenDictionary<string, string[]> Names = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["attn_q"] = ["self_attn.q_proj"],
        ["attn_k"] = ["self_attn.k_proj"],
        ["attn_v"] = ["self_attn.v_proj"],
        ["attn_qkv"] = ["self_attn.qkv_proj", "attn.c_attn", "attention.query_key_value", "self_attention.query_key_value"],
        ["attn_output"] = ["self_attn.o_proj", "attn.c_proj", "attention.dense", "self_attention.dense", "self_attn.dense"],
        ["ffn_gate"] = ["mlp.gate_proj"],
        ["ffn_up"] = ["mlp.up_proj", "mlp.gate_up_proj", "mlp.c_fc", "mlp.fc1", "mlp.dense_h_to_4h"],
        ["ffn_down"] = ["mlp.down_proj", "mlp.c_proj", "mlp.fc2", "mlp.dense_4h_to_h"],
        ["token_embd"] = ["embed_tokens", "wte", "embed_in", "word_embeddings"],
        ["output"] = ["lm_head", "embed_out", "embed_tokens", "wte"], // tied
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string> Architectures = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["mistral"] = "llama",
        ["mixtral"] = "llama",
        ["gemma3_text"] = "gemma3",
        ["phi"] = "phi2",
        ["cohere"] = "command-r",
        ["deepseek_v2"] = "deepseek2",
        ["deepseek_v3"] = "deepseek2",
        ["gpt_bigcode"] = "starcoder",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private BaseLayers(ModelFolder @base) => Name = @base.Json("config.json")?["_name_or_path"]?.String;

    /// <summary>The architecture in GGUF's words; null where the base does not say.</summary>
    public string? Architecture { get; private set; }

    /// <summary>The name that the base gives itself.</summary>
    public string? Name { get; private set; }

    public static BaseLayers Of(ModelFolder @base, CancellationToken cancellation)
    {
        var layers = new BaseLayers(@base);
        if (@base.Json("config.json")?["model_type"]?.String is { } type)
        {
            layers.Architecture = Architectures.GetValueOrDefault(type) ?? type.Replace("_", "", StringComparison.Ordinal);
        }

        foreach (var name in @base.Names.Where(n => !n.StartsWith("adapter_", StringComparison.Ordinal)))
        {
            if (name.EndsWith(".safetensors", StringComparison.Ordinal))
            {
                layers.AddSafeTensors(@base.File(name), cancellation);
            }
            else if (name.EndsWith(".gguf", StringComparison.Ordinal))
            {
                layers.AddGguf(@base.File(name), cancellation);
            }
        }

        return layers;
    }

    /// <summary>The adapter names another base than this one calls itself; a name inside the other is the same.</summary>
    public IEnumerable<Finding> OtherName(string adapter, string place)
    {
        var (a, b) = (Letters(adapter), Letters(Name ?? ""));
        if (a.Length > 0 && b.Length > 0 && !a.Contains(b, StringComparison.Ordinal) && !b.Contains(a, StringComparison.Ordinal))
        {
            yield return AdapterCards.BaseMismatch.At(place, $"The adapter was made for {adapter}, the base calls itself {Name}.", adapter, Severity.Low);
        }
    }

    /// <summary>Updates for layers that the base does not have, or has in another shape.</summary>
    public IEnumerable<Finding> Mismatches(Dictionary<string, LoraPair> pairs, string place)
    {
        foreach (var (module, pair) in pairs.Where(p => IsComparable(p.Key)))
        {
            if (pair is not { A: { Shape.Count: >= 2 } a, B: { Shape.Count: >= 2 } b })
            {
                continue;
            }

            if (Shape(module) is not { } shape)
            {
                yield return AdapterCards.BaseMismatch.At($"{place}#{module}", "The base has no such layer.", module);
            }
            else if (shape is not [var rows, var columns] || !((rows == b.Shape[0] && columns == a.Shape[1]) || (rows == a.Shape[1] && columns == b.Shape[0])))
            {
                yield return AdapterCards.BaseMismatch.At($"{place}#{module}", $"The update is {b.Shape[0]} x {a.Shape[1]}, the base's layer {string.Join(" x ", shape)}.", module);
            }
        }
    }

    /// <summary>The shape of a layer under its name, that of an adapter or of ggml. A task head is put around the base ("transformer.h.0" against "h.0"), so the end decides.</summary>
    public long[]? Shape(string module)
    {
        for (var name = module; ; name = name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..])
        {
            if (_shapes.TryGetValue($"{name}.weight", out var shape))
            {
                return shape;
            }

            if (!name.Contains('.', StringComparison.Ordinal))
            {
                var ends = Aliases(module).Select(a => $".{a}.weight").ToArray();
                return _shapes.FirstOrDefault(l => Array.Exists(ends, e => $".{l.Key}".EndsWith(e, StringComparison.Ordinal))).Value;
            }
        }
    }

    private bool IsComparable(string module) => module.Split('.') switch
    {
        ["blk", _, var kind, ..] => _hasGgml || (_hasTransformers && Names.ContainsKey(kind)),
        ["output" or "token_embd"] => _hasGgml || _hasTransformers,
        _ => _hasTransformers,
    };

    // "blk.3.attn_q" is "….3.self_attn.q_proj".
    private static IEnumerable<string> Aliases(string module) =>
        module.Split('.') is ["blk", var layer, var kind] && Names.TryGetValue(kind, out var names) ? names.Select(n => $"{layer}.{n}")
        : Names.TryGetValue(module, out var whole) ? whole
        : [module];

    private void AddSafeTensors(string path, CancellationToken cancellation)
    {
        using var bytes = ByteSource.Open(path);
        if (SafeTensorsInspector.Recognize(bytes))
        {
            foreach (var tensor in SafeTensorsInspector.Inspect(bytes, cancellation).Tensors)
            {
                (_shapes[tensor.Name], _hasTransformers) = (tensor.Shape, true);
            }
        }
    }

    private void AddGguf(string path, CancellationToken cancellation)
    {
        using var bytes = ByteSource.Open(path);
        if (!GgufReader.Recognize(bytes.Head(4)))
        {
            return;
        }

        var file = GgufReader.Read(bytes, cancellation);
        (Architecture, Name) = (file["general.architecture"]?.Text ?? Architecture, file["general.name"]?.Text ?? Name);
        foreach (var tensor in file.Tensors)
        {
            (_shapes[tensor.Name], _hasGgml) = ([.. tensor.Shape.Reverse()], true);
        }
    }

    // Of "org/Name-1B" what follows the slash, letters and digits only.
    private static string Letters(string name) => string.Concat(name[(name.TrimEnd('/').LastIndexOf('/') + 1)..].Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
}
