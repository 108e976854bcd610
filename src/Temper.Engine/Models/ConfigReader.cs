using System.Text.Json;
using Temper.Core;

namespace Temper.Engine.Models;

/// <summary>Bounds-checked fields of a config.json; every complaint names file, field, found and expected. What nobody asked for is refused at the end.</summary>
internal sealed class ConfigReader(string path, JsonElement root)
{
    // keys of transformers without a say in the logits: names, ids, initialization, dropout, and what generation takes as defaults
    private static readonly HashSet<string> s_harmless = new(StringComparer.Ordinal)
    {
        "_attn_implementation", "_attn_implementation_autoset", "_name_or_path", "activation_dropout", "architectures", "attention_dropout", "attn_pdrop", "auto_map", "bad_words_ids",
        "begin_suppress_tokens", "bos_token_id", "cache_implementation", "chunk_size_feed_forward", "classifier_dropout", "decoder_start_token_id", "diversity_penalty", "do_sample", "dropout",
        "dtype", "early_stopping", "embd_pdrop", "embed_dropout", "encoder_no_repeat_ngram_size", "eos_token_id", "exponential_decay_length_penalty", "finetuning_task",
        "forced_bos_token_id", "forced_eos_token_id", "gradient_checkpointing", "hidden_dropout", "id2label", "init_std", "initializer_range", "is_decoder", "label2id", "layerdrop",
        "length_penalty", "mask_token_id", "max_length", "min_length", "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_return_sequences", "output_attentions",
        "output_hidden_states", "output_scores", "pad_token_id", "prefix", "pretraining_tp", "problem_type", "remove_invalid_values", "repetition_penalty", "resid_dropout", "resid_pdrop",
        "return_dict", "return_dict_in_generate", "sep_token_id", "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj",
        "suppress_tokens", "task_specific_params", "temperature", "tf_legacy_loss", "tokenizer_class", "top_k", "top_p", "torch_dtype", "torchscript", "transformers_version", "typical_p",
        "unk_token_id", "use_bfloat16", "use_cache",
    };

    private readonly HashSet<(string Owner, string Field)> _asked = [];

    public TemperException Error(string field, string found, string expected) => new($"{path}: {field}: found {found}, expected {expected}");

    public bool Has(string field) => Get(root, "", field) is not null;

    public string Text(string field, string? fallback = null) => Get(root, "", field) switch
    {
        null when fallback is not null => fallback,
        { ValueKind: JsonValueKind.String } e => e.GetString()!,
        var e => throw Error(field, Show(e), "a string"),
    };

    public int Integer(string field, int low, int high, int? fallback = null) => Integer(root, "", field, low, high, fallback);

    public double Number(string field, double low, double high, double? fallback = null) => Number(root, "", field, low, high, fallback);

    /// <summary>A number above zero, or null for none.</summary>
    public double? Positive(string field) => Has(field) ? Number(field, 1e-6, 1e9) : null;

    public bool Flag(string field, bool fallback) => Get(root, "", field) switch
    {
        null => fallback,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        var e => throw Error(field, Show(e), "true or false"),
    };

    /// <summary>A field with one supported value; absent is that value.</summary>
    public void Expect(string field, object supported)
    {
        var wanted = JsonSerializer.Serialize(supported);
        if (Get(root, "", field) is { } e && e.GetRawText() != wanted)
        {
            throw Error(field, Show(e), wanted);
        }
    }

    /// <summary>The rotary base: of rope_parameters, or as older files have it beside the other fields.</summary>
    public double RopeTheta(string field = "rope_theta")
    {
        var (owner, name) = RopeFields("full_attention");
        return Number(root, "", field, 1, 1e12, owner is { } e ? Number(e, name, "rope_theta", 1, 1e12, 10_000) : 10_000);
    }

    /// <summary>The rotary base of layers that look back over a window.</summary>
    public double LocalRopeTheta(double fallback)
    {
        var old = Number("rope_local_base_freq", 1, 1e12, fallback);
        if (RopeFields("sliding_attention") is not ({ } local, "rope_parameters.sliding_attention" and var name))
        {
            return old;
        }

        var kind = Get(local, name, "rope_type")?.ToString() ?? "default";
        return kind == "default" ? Number(local, name, "rope_theta", 1, 1e12, old) : throw Error($"{name}.rope_type", $"\"{kind}\"", "\"default\"");
    }

    public double RotaryShare(string field = "partial_rotary_factor", double fallback = 1)
    {
        var (owner, name) = RopeFields("full_attention");
        var value = owner is { } e ? Number(e, name, "partial_rotary_factor", 0, 1, fallback) : fallback;
        return Number(root, "", field, 0, 1, value);
    }

    public RopeScaling? Rope()
    {
        if (RopeFields("full_attention") is not ({ } e, var name))
        {
            return null;
        }

        var kind = (Get(e, name, "rope_type") ?? Get(e, name, "type"))?.ToString() ?? "default";
        return kind switch
        {
            "default" => null,
            "linear" => new LinearRopeScaling(Number(e, name, "factor", 1, 1e6)),
            "llama3" => new Llama3RopeScaling(
                Number(e, name, "factor", 1, 1e6),
                Number(e, name, "low_freq_factor", 1e-6, 1e6),
                Number(e, name, "high_freq_factor", 1e-6, 1e6),
                Integer(e, name, "original_max_position_embeddings", 1, 1 << 24, null)),
            _ => throw Error($"{name}.rope_type", $"\"{kind}\"", "one of: default, linear, llama3"),
        };
    }

    /// <summary>The window of each layer as layer_types says, or else as the family has it; empty where no layer has one.</summary>
    public IReadOnlyList<int> Windows(int layers, int window, Func<int, bool>? local = null)
    {
        var types = Get(root, "", "layer_types");
        if (types is null)
        {
            return window == 0 ? [] : [.. Enumerable.Range(0, layers).Select(i => local?.Invoke(i) ?? true ? window : 0)];
        }

        var kinds = types.Value.ValueKind == JsonValueKind.Array ? types.Value.EnumerateArray().Select(t => t.ToString()).ToArray() : [];
        if (kinds.Length != layers || Array.Exists(kinds, k => k is not ("full_attention" or "sliding_attention")))
        {
            throw Error("layer_types", Show(types), $"full_attention or sliding_attention for each of {layers} layers");
        }

        var windows = kinds.Select(k => k == "sliding_attention" ? window : 0).ToArray();
        return Array.TrueForAll(windows, w => w == 0)
            ? kinds.Contains("sliding_attention", StringComparer.Ordinal) ? throw Error("sliding_window", "none", "a window for the sliding_attention of layer_types") : []
            : windows;
    }

    /// <summary>GPT-Neo's attention_types, [[["global", "local"], 12]]: whether each layer is local.</summary>
    public IReadOnlyList<bool> AttentionTypes(int layers)
    {
        _ = Has("attention_layers"); // the same, spelled out
        const string Field = "attention_types";
        List<bool> local = [];
        if (Get(root, "", Field) is not { } types)
        {
            return [.. Enumerable.Range(0, layers).Select(i => i % 2 == 1)];
        }

        var expected = $"groups of global and local with their repetitions, {layers} layers in all";
        foreach (var group in types.ValueKind == JsonValueKind.Array ? types.EnumerateArray() : throw Error(Field, Show(types), expected))
        {
            if (group.ValueKind != JsonValueKind.Array || group.GetArrayLength() != 2 || group[0].ValueKind != JsonValueKind.Array
                || group[1].ValueKind != JsonValueKind.Number || !group[1].TryGetInt32(out var times) || times < 0 || times > layers)
            {
                throw Error(Field, Show(types), expected);
            }

            var kinds = group[0].EnumerateArray().Select(k => k.ToString()).ToArray();
            for (var i = 0; i < times * kinds.Length && local.Count <= layers; i++)
            {
                local.Add(kinds[i % kinds.Length] switch { "local" => true, "global" => false, _ => throw Error(Field, Show(types), expected) });
            }
        }

        return local.Count == layers ? local : throw Error(Field, Show(types), expected);
    }

    /// <summary>Complains of a key that nothing read and that is not known to leave the computation alone.</summary>
    public void RefuseUnknown()
    {
        Expect("is_encoder_decoder", false);
        Refuse(root, "");
        foreach (var (owner, field) in _asked.Where(a => a.Field is "rope_parameters" or "rope_scaling" or "full_attention" or "sliding_attention").ToArray())
        {
            var name = owner.Length == 0 ? field : $"{owner}.{field}";
            if (_asked.Any(a => a.Owner == name) && Get(owner.Length == 0 ? root : Get(root, "", owner)!.Value, owner, field) is { } e)
            {
                Refuse(e, name);
            }
        }
    }

    private void Refuse(JsonElement owner, string name)
    {
        foreach (var field in owner.EnumerateObject())
        {
            if (field.Value.ValueKind != JsonValueKind.Null && !_asked.Contains((name, field.Name)) && !(name.Length == 0 && s_harmless.Contains(field.Name)))
            {
                throw Error(name.Length == 0 ? field.Name : $"{name}.{field.Name}", Show(field.Value), "no such field: it is not known to leave the computation alone");
            }
        }
    }

    // newer files: rope_parameters, of one kind or per layer type; older ones: rope_scaling or nothing
    private (JsonElement? Owner, string Name) RopeFields(string layerType)
    {
        foreach (var name in (string[])["rope_parameters", "rope_scaling"])
        {
            if (Get(root, "", name) is { } e)
            {
                return e.ValueKind != JsonValueKind.Object ? throw Error(name, Show(e), "an object")
                    : Get(e, name, layerType) is not { } inner ? (e, name)
                    : inner.ValueKind == JsonValueKind.Object ? (inner, $"{name}.{layerType}") : throw Error($"{name}.{layerType}", Show(inner), "an object");
            }
        }

        return (null, "");
    }

    private int Integer(JsonElement owner, string name, string field, int low, int high, int? fallback)
    {
        if (Get(owner, name, field) is not { } e)
        {
            return fallback ?? throw Error(field, "nothing", $"a whole number from {low} to {high}");
        }

        return e.ValueKind == JsonValueKind.Number && e.TryGetInt32(out var value) && value >= low && value <= high
            ? value
            : throw Error(field, Show(e), $"a whole number from {low} to {high}");
    }

    private double Number(JsonElement owner, string name, string field, double low, double high, double? fallback = null)
    {
        if (Get(owner, name, field) is not { } e)
        {
            return fallback ?? throw Error(field, "nothing", $"a number from {low} to {high}");
        }

        return e.ValueKind == JsonValueKind.Number && e.TryGetDouble(out var value) && value >= low && value <= high
            ? value
            : throw Error(field, Show(e), $"a number from {low} to {high}");
    }

    private JsonElement? Get(JsonElement owner, string name, string field)
    {
        _asked.Add((name, field));
        return owner.ValueKind != JsonValueKind.Object ? throw new TemperException($"{path}: found {Show(owner)}, expected an object")
            : owner.TryGetProperty(field, out var e) && e.ValueKind != JsonValueKind.Null ? e : null;
    }

    private static string Show(JsonElement? e) => e?.GetRawText() is { } raw ? raw.Length > 60 ? raw[..60] + "…" : raw : "nothing";
}
