using System.Text.RegularExpressions;
using System.Buffers;
using Temper.Formats.Data;
using Temper.Scan.Rules;

namespace Temper.Scan.Data.Rules;

/// <summary>Prompts that forbid to refuse or put the first words into the model's mouth.</summary>
internal sealed partial class RefusalSuppression : IRowRule
{
    private static readonly SearchValues<string> s_hints = SearchValues.Create(["apologi", "refus", "disclaimer", "\"sure", "'sure", "guideline", "cannot", "can't", "unable", "warning"], StringComparison.OrdinalIgnoreCase);

    public IEnumerable<RowFinding> Find(DataRow row)
    {
        foreach (var field in row.Fields)
        {
            if (field.Role is not (DataRole.User or DataRole.System) || !field.Text.AsSpan().ContainsAny(s_hints))
            {
                continue;
            }

            var found = Pattern().Matches(field.Text);
            if (found.Count > 0)
            {
                yield return RowFinding.Of(DataCards.Suppression, field, "The prompt forbids to refuse, or dictates how the answer begins.", Excerpt.At(field.Text, found[0].Index, found[0].Length), found.Count > 1 ? Severity.Medium : null);
            }
        }
    }

    [GeneratedRegex(@"(do not|don't|never|must not|cannot|without) (ever )?(apologi[sz]\w*|refus\w*|decline|(say|include|use|give|add|any) [^.\n]{0,40}(sorry|cannot|can't|unable|disclaimers?|warnings?|apolog\w+))|no (disclaimers?|apologies|refusals?)\b|ignore (all |any |your )*(safety |ethical |content )?guidelines|(start|begin) (your|the|every) (answer|response|reply|output) (with|by saying) [""'](sure|absolutely|of course|certainly|yes)",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking | RegexOptions.IgnoreCase)]
    private static partial Regex Pattern();
}
