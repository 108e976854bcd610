using System.Collections.Frozen;
using Temper.Formats.Json;
using Temper.Scan.Configs;
using Temper.Scan.Rules;

namespace Temper.Scan.Adapters;

/// <summary>adapter_config.json, field by field.</summary>
internal static class AdapterConfigRules
{
    private const long LargestRank = 1024;
    public const double LargestScale = 64;
    private const long MostLayers = 1000;

    private static readonly FrozenSet<string> Fields = FrozenSet.Create(StringComparer.Ordinal,
        "peft_type", "task_type", "base_model_name_or_path", "revision", "inference_mode", "auto_mapping", "r", "lora_alpha", "lora_dropout", "target_modules", "exclude_modules", "modules_to_save",
        "rank_pattern", "alpha_pattern", "layers_to_transform", "layers_pattern", "use_rslora", "use_dora", "bias", "lora_bias", "layer_replication", "trainable_token_indices", "target_parameters",
        "megatron_config", "megatron_core", "fan_in_fan_out", "init_lora_weights", "runtime_config", "ensure_weight_tying", "alora_invocation_tokens", "use_qalora", "qalora_group_size", "use_bdlora",
        "loftq_config", "eva_config", "corda_config", "lora_ga_config", "arrow_config", "peft_version", "arrow_model_config", "num_virtual_tokens", "token_dim", "num_transformer_submodules",
        "num_attention_heads", "num_layers", "encoder_hidden_size", "prefix_projection", "feedforward_modules", "init_ia3_weights", "velora_config", "monteclora_config");

    private static readonly string[] Libraries = ["transformers", "peft", "diffusers", "sentence_transformers", "torch.nn", "__main__"];

    public static IEnumerable<Finding> Find(JsonTree root, string path)
    {
        var at = $"{path}#$";
        return [.. Imports(root, at), .. Base(root["base_model_name_or_path"]?.String, root["revision"]?.String, $"{at}.base_model_name_or_path"), .. Patterns(root, at), .. Sizes(root, at), .. Takeovers(root, at), .. Unknown(root, at)];
    }

    private static IEnumerable<Finding> Imports(JsonTree root, string at)
    {
        if (root["auto_mapping"]?["parent_library"]?.String is { } library && !Array.Exists(Libraries, l => library == l || library.StartsWith($"{l}.", StringComparison.Ordinal)))
        {
            yield return AdapterCards.Import.At($"{at}.auto_mapping.parent_library", $"PEFT imports {library}.", library);
        }

        if (root["megatron_core"] is { Kind: not JsonKind.Null } core && core.String is not ("megatron.core" or ""))
        {
            yield return AdapterCards.Import.At($"{at}.megatron_core", $"PEFT imports {core.Text}.", core.Text);
        }
    }

    public static bool IsScale(double scale) => double.IsFinite(scale) && scale is > 0 and <= LargestScale;

    public static IEnumerable<Finding> Base(string? name, string? revision, string place)
    {
        if (string.IsNullOrEmpty(name))
        {
            yield return AdapterCards.Base.At(place, "No base model is named.");
        }
        else if (name.Contains("://", StringComparison.Ordinal) || name.Contains("..", StringComparison.Ordinal) || name.Contains('\\', StringComparison.Ordinal))
        {
            yield return AdapterCards.Base.At(place, "The base model is an address or leaves the folder.", name, Severity.Medium);
        }
        else if (name[0] is '/' or '.' or '~' || name.Count('/') > 1 || (name.Length > 1 && name[1] == ':'))
        {
            yield return AdapterCards.Base.At(place, "The base model is a path of the author's machine.", name);
        }
        else if (revision is null or "" or "main")
        {
            yield return AdapterCards.Base.At(place, "The base model is named without a fixed revision.", name, Severity.Info);
        }
    }

    private static IEnumerable<Finding> Patterns(JsonTree root, string at)
    {
        foreach (var name in (string[])["target_modules", "exclude_modules", "layers_pattern"])
        {
            if (root[name]?.String is { } pattern && RegexRisk.Of(pattern) is { } risk)
            {
                yield return AdapterCards.Regex.At($"{at}.{name}", $"The pattern has {risk}.", pattern);
            }
        }

        foreach (var name in (string[])["rank_pattern", "alpha_pattern"])
        {
            foreach (var key in root[name]?.Members.Select(m => m.Key) ?? [])
            {
                if (RegexRisk.Of(key) is { } risk)
                {
                    yield return AdapterCards.Regex.At($"{at}.{name}", $"A pattern has {risk}.", key);
                }
            }
        }
    }

    private static IEnumerable<Finding> Sizes(JsonTree root, string at)
    {
        var ranks = new[] { root["r"] }.Concat(root["rank_pattern"]?.Items ?? []).Where(r => r?.Kind == JsonKind.Number).ToArray();
        foreach (var rank in ranks)
        {
            if (rank!.Integer is not { } r || r is <= 0 or > LargestRank)
            {
                yield return AdapterCards.Size.At($"{at}.r", $"The rank is {rank.Text}, expected 1 to {LargestRank}.", rank.Text);
            }
        }

        if (root["r"]?.Number is > 0 and var first && root["lora_alpha"]?.Number is { } alpha)
        {
            var scale = alpha / (root["use_rslora"]?.IsTrue == true ? Math.Sqrt(first) : first);
            if (!IsScale(scale))
            {
                yield return AdapterCards.Size.At($"{at}.lora_alpha", $"The update is scaled by {scale:0.###}, expected more than 0 and at most {LargestScale}.", $"alpha {alpha}, r {first}");
            }
        }

        var replicated = (root["layer_replication"]?.Items ?? []).Sum(pair => pair.Items.ToArray() is [{ Integer: { } from }, { Integer: { } to }] ? Math.Clamp(to, 0, int.MaxValue) - Math.Clamp(from, 0, int.MaxValue) : 0);
        if (replicated > MostLayers)
        {
            yield return AdapterCards.Size.At($"{at}.layer_replication", $"The model is blown up to {replicated} layers.");
        }
    }

    private static IEnumerable<Finding> Takeovers(JsonTree root, string at)
    {
        foreach (var module in root["modules_to_save"]?.Items ?? [])
        {
            if (module.String is { } name && (name.Contains("embed", StringComparison.OrdinalIgnoreCase) || name.EndsWith("lm_head", StringComparison.Ordinal) || name.EndsWith("wte", StringComparison.Ordinal) || name.EndsWith("embed_out", StringComparison.Ordinal)))
            {
                yield return AdapterCards.Takeover.At($"{at}.modules_to_save", $"The adapter replaces {name}.", name);
            }
        }

        if (root["trainable_token_indices"] is { Members.Count: > 0 } tokens)
        {
            yield return AdapterCards.Takeover.At($"{at}.trainable_token_indices", $"The adapter replaces the embeddings of {tokens.Members.Count} tokens or layers.");
        }
    }

    private static IEnumerable<Finding> Unknown(JsonTree root, string at) =>
        root["peft_type"]?.String is not "LORA" ? [] : root.Members.Where(m => !Fields.Contains(m.Key)).Take(20).Select(m => AdapterCards.Unknown.At($"{at}.{m.Key}", $"The field {m.Key} is not known.", m.Key));
}
