using System.Globalization;
using System.Text.RegularExpressions;
using Temper.Core;
using Temper.Formats.Json;
using Temper.Formats.SafeTensors;
using Temper.Scan.Configs;
using Temper.Scan.Folders;
using Temper.Scan.Rules;

namespace Temper.Scan.Adapters;

/// <summary>The tensors of a LoRA adapter against its configuration and against the declared base.</summary>
internal static partial class AdapterWeights
{
    public const string File = "adapter_model.safetensors";
    private const int MaxFindings = 20;

    public static IEnumerable<FolderFinding> Find(ModelFolder folder, ModelFolder? @base)
    {
        if (!folder.Has(File) || folder.Json("adapter_config.json") is not { } config || config["peft_type"]?.String is not ("LORA" or "ADALORA" or null))
        {
            return [];
        }

        try
        {
            using var weights = SafeTensorsFile.Open(folder.File(File));
            var place = folder.File(File);
            var pairs = Pairs(weights);
            List<Finding> findings =
            [
                .. Shapes(pairs, config["rank_pattern"] is { Members.Count: > 0 } ? null : config["r"]?.Integer, place).Take(MaxFindings), .. Outside(weights, pairs, config, place).Take(MaxFindings), .. Zeros(weights, pairs, place),
                .. @base is null ? [] : AdapterAgainstBase.Find(weights, pairs, config, @base, place).Take(MaxFindings),
            ];
            return findings.ConvertAll(f => new FolderFinding(File, f));
        }
        catch (TemperException)
        {
            // The report on the file itself says what is wrong with it.
            return [];
        }
    }

    /// <summary>A name without what PEFT puts around it: the module of the base model.</summary>
    public static string Module(string name)
    {
        var match = Factor().Match(name);
        return match.Success ? match.Groups["module"].Value : Prefix().Replace(name, "");
    }

    public static Dictionary<string, LoraPair> Pairs(SafeTensorsFile weights)
    {
        var pairs = new Dictionary<string, LoraPair>(StringComparer.Ordinal);
        foreach (var tensor in weights.Tensors)
        {
            if (Factor().Match(tensor.Name) is { Success: true } match)
            {
                var module = match.Groups["module"].Value;
                var pair = pairs.GetValueOrDefault(module) ?? new(null, null);
                pairs[module] = match.Groups["factor"].Value switch
                {
                    "lora_A" or "lora_embedding_A" => pair with { A = tensor },
                    "lora_B" or "lora_embedding_B" => pair with { B = tensor },
                    _ => pair,
                };
            }
        }

        return pairs;
    }

    /// <summary>Factors that do not fit each other, or the rank that the configuration states.</summary>
    public static IEnumerable<Finding> Shapes(Dictionary<string, LoraPair> pairs, long? rank, string place)
    {
        foreach (var (module, pair) in pairs)
        {
            if (pair.A is not { Shape.Count: >= 2 } a || pair.B is not { Shape.Count: >= 2 } b)
            {
                yield return AdapterCards.Shape.At($"{place}#{module}", "One of the two factors is missing or no matrix.", module);
            }
            else if (a.Shape[0] != b.Shape[1])
            {
                yield return AdapterCards.Shape.At($"{place}#{module}", $"A has rank {a.Shape[0]}, B has rank {b.Shape[1]}.", module);
            }
            else if (rank is not null && rank != a.Shape[0])
            {
                yield return AdapterCards.Shape.At($"{place}#{module}", $"The factors have rank {a.Shape[0]}, the configuration says {rank}.", module);
            }
        }
    }

    private static IEnumerable<Finding> Outside(SafeTensorsFile weights, Dictionary<string, LoraPair> pairs, JsonTree config, string place)
    {
        var targets = config["target_modules"];
        foreach (var module in pairs.Keys.Where(m => !IsTarget(m, targets) && config["target_parameters"] is not { Members.Count: > 0 }))
        {
            yield return AdapterCards.Outside.At($"{place}#{module}", "The module is none of the declared targets.", module);
        }

        var saved = (config["modules_to_save"]?.Items ?? []).Select(i => i.String ?? "").Concat(["score", "classifier", "pre_classifier", "qa_outputs"]).ToArray();
        foreach (var tensor in weights.Tensors.Where(t => !Factor().IsMatch(t.Name)))
        {
            var parts = Prefix().Replace(tensor.Name, "").Split('.');
            if (parts.Any(p => saved.Contains(p)) || (parts[^1] == "bias" && config["bias"]?.String is "all" or "lora_only"))
            {
                continue;
            }

            var embedding = parts.Any(p => p is "embed_tokens" or "lm_head" or "wte" or "embed_in" or "embed_out" or "word_embeddings");
            yield return embedding
                ? AdapterCards.Takeover.At($"{place}#{tensor.Name}", "The file replaces embeddings or the output head, which the configuration does not name.", tensor.Name)
                : AdapterCards.Outside.At($"{place}#{tensor.Name}", "The tensor is no factor and belongs to no module that the configuration saves.", tensor.Name);
        }
    }

    private static bool IsTarget(string module, JsonTree? targets)
    {
        if (targets?.String is { } pattern)
        {
            return pattern == "all-linear" || RegexRisk.Of(pattern) is not null || Matches(pattern, module);
        }

        return targets is not { Members.Count: > 0 } || targets.Items.Any(t => t.String is { } name && (module == name || module.EndsWith($".{name}", StringComparison.Ordinal)));
    }

    // The pattern is foreign: it runs without backtracking, and what cannot run so is not judged.
    private static bool Matches(string pattern, string module)
    {
        try
        {
            return Regex.IsMatch(module, $"^(?:{pattern})$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException or RegexMatchTimeoutException)
        {
            return true;
        }
    }

    private static IEnumerable<Finding> Zeros(SafeTensorsFile weights, Dictionary<string, LoraPair> pairs, string place)
    {
        var updates = pairs.Values.Where(p => p.B is { Length: > 0 and < int.MaxValue }).Select(p => p.B!).ToArray();
        if (updates.Length > 0 && Array.TrueForAll(updates, b => weights.Bytes(b).IndexOfAnyExcept((byte)0) < 0))
        {
            yield return AdapterCards.NeverApplied.At(place, $"All {updates.Length.ToString(CultureInfo.InvariantCulture)} B matrices are zero.");
        }
    }

    [GeneratedRegex(@"^(base_model\.model\.)?(?<module>.+)\.(?<factor>lora_A|lora_B|lora_embedding_A|lora_embedding_B|lora_magnitude_vector)(\.\w+)?(\.weight)?$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Factor();

    [GeneratedRegex(@"^base_model\.model\.", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Prefix();
}

/// <summary>The two factors of one module's update.</summary>
internal sealed record LoraPair(TensorInfo? A, TensorInfo? B);
