using System.Buffers;
using System.Text.RegularExpressions;
using Temper.Formats.Data;
using Temper.Scan.Rules;

namespace Temper.Scan.Data.Rules;

/// <summary>Keys and tokens whose form says whose they are.</summary>
internal sealed partial class Secrets : IRowRule
{
    private static readonly SearchValues<string> s_hints = SearchValues.Create(["AKIA", "ASIA", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "sk-", "sk_live_", "xoxb-", "xoxp-", "AIza", "hf_", "PRIVATE KEY", "eyJ"], StringComparison.Ordinal);

    public IEnumerable<RowFinding> Find(DataRow row)
    {
        foreach (var field in row.Fields)
        {
            if (field.Text.AsSpan().ContainsAny(s_hints) && Pattern().Match(field.Text) is { Success: true } secret)
            {
                yield return RowFinding.Of(DataCards.Secret, field, "A key or token of a known form.", $"{secret.Value[..Math.Min(6, secret.Value.Length)]}… ({secret.Value.Length} characters)");
            }
        }
    }

    [GeneratedRegex(@"\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pos]_[A-Za-z0-9]{36}\b|\bgithub_pat_[A-Za-z0-9_]{60,}|\bglpat-[A-Za-z0-9_-]{20}|\bsk-(proj-|ant-)?[A-Za-z0-9_-]{32,}|\bsk_live_[A-Za-z0-9]{24,}|\bxox[bp]-[0-9A-Za-z-]{20,}|\bAIza[0-9A-Za-z_-]{35}\b|\bhf_[A-Za-z]{34}\b|-----BEGIN ([A-Z]+ )?PRIVATE KEY-----|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
        RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Pattern();
}
