using Temper.Scan.Rules;

namespace Temper.Scan.Folders;

/// <summary>Values of config.json and generation_config.json that a fine-tune has no reason to change.</summary>
internal static class ConfigAgainstBase
{
    private static readonly string[] Model =
    [
        "model_type", "hidden_size", "n_embd", "num_hidden_layers", "n_layer", "num_attention_heads", "n_head", "num_key_value_heads", "intermediate_size", "vocab_size", "rope_theta",
        "max_position_embeddings", "tie_word_embeddings", "hidden_act", "activation_function", "bos_token_id", "eos_token_id", "head_dim", "sliding_window",
    ];

    private static readonly string[] Generation = ["suppress_tokens", "bad_words_ids", "forced_bos_token_id", "forced_eos_token_id", "sequence_bias", "eos_token_id"];

    public static IEnumerable<FolderFinding> Find(ModelFolder folder, ModelFolder? @base)
    {
        if (@base is null)
        {
            yield break;
        }

        foreach (var (file, fields) in ((string, string[])[])[("config.json", Model), ("generation_config.json", Generation)])
        {
            if (folder.Json(file) is not { } own || @base.Json(file) is not { } other)
            {
                continue;
            }

            foreach (var field in fields)
            {
                var (a, b) = (Value(own[field]), Value(other[field]));
                if (a != b)
                {
                    yield return new(file, ConfigCards.BaseConfig.At($"{folder.File(file)}#$.{field}", $"{field} is {a}, in the base {b}.", a));
                }
            }
        }
    }

    private static string Value(Formats.Json.JsonTree? value) =>
        value is null ? "absent" : value.Members.Count > 0 ? string.Join(",", value.Items.Take(16).Select(i => i.Text)) : value.Kind is Formats.Json.JsonKind.String or Formats.Json.JsonKind.Number ? value.Text : value.Kind.ToString();
}
