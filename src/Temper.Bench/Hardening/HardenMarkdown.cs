using Temper.Bench.Reports;

namespace Temper.Bench.Hardening;

/// <summary>A hardening for people: what was found, what it does not protect against, and how it was found.</summary>
public static class HardenMarkdown
{
    public static string Write(HardenResult result)
    {
        var text = new MarkdownText();
        text.Line("# ", $"{result.Request.Model.Name}, hardened against {result.Request.Threats.Name}").Line("").Safe(result.Request.Threats.Description).Line("").Strong(result.Sentence()).Line("\n## Before and after\n");
        text.Line($"On the seeds {string.Join(", ", result.Request.ConfirmationSeeds)}, which the search did not see; differences in points, paired by question, p corrected (Holm).\n");
        text.Table(["attack", "undefended", "hardened", "difference", "holds"], result.Attacks().Select(a => (string[])
            [a.Attack, a.Undefended, a.Hardened, a.Protection is { } p ? AnalysisTables.Points(p) : ReportText.Dash, a.Holds ? "yes" : "no"]));
        text.Line("\n## What it does not protect against\n");
        foreach (var open in result.NotProtected())
        {
            text.Line("- ", open);
        }

        if (result.Parts is { Analysis.Contributions: { Count: > 0 } parts })
        {
            text.Line("\n## What each part adds\n");
            text.Table(["attack", "part", "difference to the stack without it"], parts.Where(c => c.Stack == result.Name).Select(c => (string[])[c.Attack, c.Part, AnalysisTables.Points(c.Success)]));
        }

        text.Line($"\n## How it was found\n\nScore: half the worst case, half the mean over the attacks of the round. Budgets: {ReportText.Percent(result.Request.UtilityLoss)} of the utility, {ReportText.Percent(result.Request.OverRefusal)} more over-refusal.\n");
        foreach (var round in result.Rounds.Where(r => r.Outcomes.Count > 0))
        {
            text.Line("\n### ", $"{round.Name}: {string.Join(", ", round.Attacks)}").Line("");
            text.Table(["stack", "score", "worst", "under", "mean", "utility", "added over-refusal", "fate"], round.Outcomes.Select(o => (string[])
                [o.Stack, ReportText.Percent(o.Score), ReportText.Percent(o.Worst), o.WorstAttack, ReportText.Percent(o.Mean), ReportText.Percent(o.UtilityRatio), ReportText.Percent(o.AddedRefusal), Fate(o)]));
        }

        foreach (var note in result.Notes)
        {
            text.Line("\n", note);
        }

        return text.ToString();
    }

    public static string Fate(HardenOutcome o) => o.Fate switch
    {
        HardenFate.Chosen => "chosen", HardenFate.Promoted => "goes on", HardenFate.Dropped => "dropped",
        HardenFate.TooCostly => $"too costly: {o.Reason}", HardenFate.Failed => $"failed: {o.Reason}", _ => "measured",
    };
}
