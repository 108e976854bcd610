using System.Globalization;
using System.Text;
using Temper.Scan.Rules;

namespace Temper.Scan.Reports;

/// <summary>The documentation of the rules, made from their cards.</summary>
public static class RulePages
{
    /// <summary>The page of one rule.</summary>
    public static string Page(Rule rule)
    {
        var verdict = Verdicts.Of(rule.Severity).ToString().ToLowerInvariant();
        return $"# {rule.Id}\n\n**{rule.Title}.** Severity {rule.Severity.ToString().ToLowerInvariant()}: the file is at best *{verdict}*.\n\n{rule.Meaning}\n\n## What to do\n\n{rule.Advice}\n"
            + (rule.Tags.Length == 0 ? "" : $"\nTags: {string.Join(", ", rule.Tags)}\n");
    }

    /// <summary>The list of all rules.</summary>
    public static string Index()
    {
        var text = new StringBuilder("# Rules of temper scan\n\n| rule | severity | title |\n|---|---|---|\n");
        foreach (var rule in RuleCatalog.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"| [{rule.Id}]({rule.Id}.md) | {rule.Severity.ToString().ToLowerInvariant()} | {rule.Title} |\n");
        }

        return text.ToString();
    }
}
