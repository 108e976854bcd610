using Temper.Formats.Json;
using Temper.Scan.Adapters;
using Temper.Scan.Artifacts;
using Temper.Scan.Rules;
using Temper.Scan.Templates;
using Temper.Scan.Tokenizers;

namespace Temper.Scan.Configs;

/// <summary>JSON files; what a file is for is told by its keys.</summary>
internal static class JsonScan
{
    private const long Largest = 1L << 28;
    private const int MaxDuplicates = 20;

    public static void Read(Draft draft, Artifact artifact)
    {
        if (draft.Formats.Count > 0 || artifact.Head.TrimStart((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF, (byte)' ', (byte)'\t', (byte)'\r', (byte)'\n']) is not [(byte)'{' or (byte)'[', ..])
        {
            return;
        }

        if (artifact.Bytes.Length > Largest)
        {
            draft.Format("json");
            draft.Incomplete(FileCards.Limit, $"The JSON has {artifact.Bytes.Length} bytes, more than {Largest}.");
            return;
        }

        JsonTree root;
        try
        {
            root = JsonTreeReader.Read(artifact.Bytes.Head());
        }
        catch (JsonTreeException e)
        {
            Broken(draft, artifact, e);
            return;
        }

        var kind = Kind(root);
        draft.Format(kind);
        if (root.Kind != JsonKind.Object)
        {
            return;
        }

        foreach (var name in root.Duplicates().Take(MaxDuplicates))
        {
            draft.Add(ConfigCards.Duplicate.At($"{draft.Path}#$.{name}", "The key stands more than once.", name));
        }

        if (kind != "tokenizer")
        {
            draft.AddRange(CodeReferences.Find(root, draft.Path));
        }

        draft.AddRange(kind switch
        {
            "adapter-config" => AdapterConfigRules.Find(root, draft.Path),
            "tokenizer" => TokenizerRules.Find(root, draft.Path),
            "generation-config" or "model-config" => GenerationRules.Find(root, draft.Path),
            _ => [],
        });
        foreach (var (place, template) in ChatTemplates(root))
        {
            TemplateScan.Judge(draft, template, $"{draft.Path}#{place}");
        }
    }

    /// <summary>The chat templates of a tokenizer_config.json or chat_template.json: one text, or a list of named ones.</summary>
    public static IEnumerable<(string Place, string Text)> ChatTemplates(JsonTree root)
    {
        foreach (var (name, value) in root.Members.Where(m => m.Key == "chat_template"))
        {
            if (value.String is { } text)
            {
                yield return ($"$.{name}", text);
            }

            foreach (var item in value.Items)
            {
                if ((item["template"] ?? item).String is { } named)
                {
                    yield return ($"$.{name}[{item["name"]?.String ?? ""}]", named);
                }
            }
        }
    }

    /// <summary>What a JSON file is for.</summary>
    public static string Kind(JsonTree root)
    {
        bool Has(string name) => root[name] is not null;
        return root.Kind != JsonKind.Object ? "json"
            : Has("peft_type") || Has("lora_alpha") ? "adapter-config"
            : Has("model") && (Has("added_tokens") || Has("pre_tokenizer") || Has("normalizer")) ? "tokenizer"
            : Has("weight_map") ? "shard-index"
            : Has("class_name") && Has("config") ? "keras-config"
            : Has("tokenizer_class") || Has("chat_template") || Has("added_tokens_decoder") ? "tokenizer-config"
            : Has("architectures") || (Has("model_type") && !Has("weight_map")) ? "model-config"
            : Has("eos_token_id") || Has("max_new_tokens") || Has("_from_model_config") || Has("suppress_tokens") || Has("bad_words_ids") || Has("custom_generate") ? "generation-config"
            : "json";
    }

    private static void Broken(Draft draft, Artifact artifact, JsonTreeException e)
    {
        // Lines of JSON and text that begins with a bracket are no broken JSON files.
        var line = artifact.Bytes.Head(1 << 20);
        var end = line.IndexOf((byte)'\n');
        if (end > 0 && IsJson(line[..end]))
        {
            draft.Format("json-lines");
            return;
        }

        if (draft.Path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            draft.Format("json");
            draft.Incomplete(ConfigCards.Json, "The JSON does not parse.", e.Message);
        }
    }

    private static bool IsJson(ReadOnlySpan<byte> text)
    {
        try
        {
            _ = JsonTreeReader.Read(text);
            return true;
        }
        catch (JsonTreeException)
        {
            return false;
        }
    }
}
