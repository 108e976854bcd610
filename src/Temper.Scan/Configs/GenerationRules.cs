using Temper.Formats.Json;
using Temper.Scan.Rules;

namespace Temper.Scan.Configs;

/// <summary>Settings of generation that force or forbid tokens.</summary>
internal static class GenerationRules
{
    private static readonly string[] Forbidding = ["suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "sequence_bias", "force_words_ids", "forced_decoder_ids", "constraints"];
    private static readonly string[] Ends = ["forced_bos_token_id", "forced_eos_token_id"];

    public static IEnumerable<Finding> Find(JsonTree root, string path)
    {
        foreach (var name in Forbidding)
        {
            if (root[name] is { Members.Count: > 0 } value)
            {
                yield return ConfigCards.Forced.At($"{path}#$.{name}", $"{name} has {value.Members.Count} entries.", string.Join(", ", value.Items.Take(8).Select(i => i.Text)));
            }
        }

        foreach (var name in Ends)
        {
            if (root[name] is { Kind: JsonKind.Number } value)
            {
                yield return ConfigCards.ForcedEnds.At($"{path}#$.{name}", $"{name} is {value.Text}.", value.Text);
            }
        }
    }
}
