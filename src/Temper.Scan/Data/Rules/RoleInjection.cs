using System.Buffers;
using System.Text.RegularExpressions;
using Temper.Formats.Data;
using Temper.Scan.Rules;

namespace Temper.Scan.Data.Rules;

/// <summary>Control tokens of the common chat templates inside a content, and turns spelled out inside what a tool returned.</summary>
internal sealed partial class RoleInjection : IRowRule
{
    private static readonly SearchValues<string> s_tokens = SearchValues.Create(
    [
        "<|im_start|>", "<|im_end|>", "<|im_sep|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|begin_of_text|>", "<|end_of_text|>", "<|python_tag|>", "<|endoftext|>",
        "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "<start_of_turn>", "<end_of_turn>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|eot|>",
        "<|start|>", "<|channel|>", "<|message|>", "<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>", "<|SYSTEM_TOKEN|>", "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>",
        "<｜User｜>", "<｜Assistant｜>", "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>",
    ], StringComparison.OrdinalIgnoreCase);

    public IEnumerable<RowFinding> Find(DataRow row)
    {
        // Text that was rendered with a template is made of its tokens.
        var isRendered = row.Schema is "text" or "unknown";
        foreach (var field in row.Fields)
        {
            var at = field.Text.AsSpan().ContainsAny('<', '[') ? field.Text.AsSpan().IndexOfAny(s_tokens) : -1;
            if (at >= 0)
            {
                var length = Math.Max(4, field.Text.AsSpan(at).IndexOfAny('>', ']') + 1);
                yield return RowFinding.Of(DataCards.Role, field, isRendered ? "The text is rendered with a chat template." : "A control token stands inside the content.", Excerpt.At(field.Text, at, length), isRendered ? Severity.Info : null);
            }
            else if (field.Role is DataRole.Tool or DataRole.Context && Turn().Match(field.Text) is { Success: true } turn)
            {
                yield return RowFinding.Of(DataCards.Role, field, "A turn of a conversation is spelled out in what should be material.", Excerpt.At(field.Text, turn.Index, turn.Length), Severity.Low);
            }
        }
    }

    [GeneratedRegex(@"^(system|assistant|human|### ?(instruction|response|system)) ?:", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking | RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex Turn();
}
