using Temper.Core;

namespace Temper.Bench.Reports;

/// <summary>A table of an analysis as text, the same for every writer.</summary>
internal sealed record AnalysisTable(string Id, string Title, string Note, IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows);

/// <summary>The analysis of a study as tables; those without rows are left out.</summary>
internal static class AnalysisTables
{
    private const string Corrected = "p is corrected for all comparisons of the table (Holm).";

    public static IReadOnlyList<AnalysisTable> Of(StudyReport report) =>
    [
        .. ((AnalysisTable[])[Ranking(report), HeldOut(report), Brittle(report), Carry(report), Effects(report), Interactions(report), Contributions(report), Orders(report), Interferences(report)])
            .Where(t => t.Rows.Count > 0),
    ];

    public static string Points(double value, double low, double high) =>
        $"{PageText.Number(value * 100, "+0.0;-0.0;0.0")} {ReportText.Interval(low, high)}";

    public static string Points(Comparison c) => $"{Points(c.Value, c.Low, c.High)}, p {P(c.AdjustedP)}";

    private static string P(double p) => p < 0.001 ? "< 0.001" : PageText.Number(p, "0.000");

    private static AnalysisTable Ranking(StudyReport r) => new(
        "ranking", "Which defense to take", $"By score, half the worst case and half the mean over all attacks, models and the configurations that keep {ReportText.Percent(r.UtilityFloor)} of the utility. "
            + "q90 is over all of those configurations; area is under the best success so far over the attacker's trials; helps and hurts count attacks, corrected for all of them.",
        ["rank", "defense", "score", "worst", "under", "q90", "mean", "area", "broken", "helps", "hurts", "utility", "added over-refusal", "reading"],
        [.. r.Analysis.Ranking.Select(d => (string[])
        [
            d.Rank is { } rank ? PageText.Number(rank, "0") : ReportText.Dash, d.Defense, ReportText.Percent(d.Score),
            d.Worst is null ? ReportText.Dash : $"{ReportText.Percent(d.Worst)}, at most {ReportText.Percent(d.WorstHigh)}", d.WorstPlace, ReportText.Percent(d.Q90), ReportText.Percent(d.Mean),
            d.Area is { } area ? PageText.Number(area, "0.00") : ReportText.Dash, Of(d.Broken, d.Places), Of(d.Helps, d.Compared), Of(d.Hurts, d.Compared),
            ReportText.Percent(d.UtilityRatio), d.AddedRefusal is null ? ReportText.Dash : PageText.Number(d.AddedRefusal.Value * 100, "+0.0;-0.0;0.0"), d.Reading,
        ])]);

    private static AnalysisTable HeldOut(StudyReport r) => new(
        "held-out", "Chosen elsewhere, measured here", "One configuration, then one model, is left out; the defense is the best at all other places, by mean success at the utility floor. "
            + $"Regret is what the best defense there would have saved: {string.Join("; ", r.Analysis.HeldOut.GroupBy(h => h.By, StringComparer.Ordinal).Select(g => $"by {g.Key} {PageText.Number(100 * g.Average(h => h.Success - h.Best), "0.0")} points on average"))}.",
        ["left out", "", "chosen", "success", "best possible", "undefended"],
        [.. r.Analysis.HeldOut.Select(h => (string[])[h.By, h.LeftOut, h.Chosen, ReportText.Percent(h.Success), ReportText.Percent(h.Best), ReportText.Percent(h.Undefended)])]);

    private static AnalysisTable Brittle(StudyReport r) => new(
        "brittleness", "How much a defense depends on its settings", "Choices that protect within 20 % of the best one; protection is the fall of mean success, and none where the model is no longer useful.",
        ["defense", "choices near the best", "best", "its protection, points", "worst", "its protection, points"],
        [.. r.Analysis.Brittleness.Select(b => (string[])
            [b.Defense, Of(b.NearBest, b.Choices), b.Best, PageText.Number(100 * b.BestProtection, "+0.0;-0.0;0.0"), b.Worst, PageText.Number(100 * b.WorstProtection, "+0.0;-0.0;0.0")])]);

    private static AnalysisTable Carry(StudyReport r) => new(
        "carry-over", "Do defenses of one phase carry over to another?", CarrySentence(r.Analysis.CarryOvers),
        ["defense", "phase", "helps against attacks of its phase", "of other phases", "keeps the model useful"],
        [.. r.Analysis.CarryOvers.Select(c => (string[])[c.Defense, ReportText.Words(c.Phase), Of(c.OwnHelped, c.OwnAttacks), Of(c.OtherHelped, c.OtherAttacks), c.KeepsModel ? "yes" : "no"])]);

    public static string CarrySentence(IReadOnlyList<CarryOver> all)
    {
        var tried = all.Where(c => c.OtherAttacks > 0).ToArray();
        var useful = tried.Where(c => c.KeepsModel).ToArray();
        var share = Metric.Share("carry-over", useful.Count(c => c.OtherHelped > 0), Math.Max(1, tried.Length), Direction.HigherIsBetter);
        return tried.Length == 0 ? "No defense of one phase met an attack of another."
            : $"{useful.Count(c => c.OtherHelped > 0)} of {tried.Length} single-phase defenses ({ReportText.Percent(share.Value)} {ReportText.Interval(share.Low, share.High)}) help against at least one attack of another phase and keep the model useful; "
              + $"{useful.Count(c => c.OtherHelped == c.OtherAttacks)} against all of them. {Corrected}";
    }

    private static AnalysisTable Effects(StudyReport r) => new(
        "effects", "Each defense against each attack", $"Success less that of the undefended model, points, paired by question over models and seeds. {Corrected}",
        ["attack", "phase", "defense", "difference", "reading"],
        [.. r.Analysis.Effects.Select(e => (string[])[e.Attack, e.Attack == StudyGrid.None ? ReportText.Dash : ReportText.Words(e.AttackPhase), e.Defense, Points(e.Success), Word(e.Success, "helps", "hurts")])]);

    private static AnalysisTable Interactions(StudyReport r) => new(
        "interactions", "Defenses together", $"I = H(none) - H(a) - H(b) + H(a + b), points of success: what two do together beyond what each does alone. {Corrected}",
        ["attack", "defenses", "interaction", "of utility", "reading"],
        [.. r.Interactions.Select(i => (string[])
            [i.Attack, $"{i.A} + {i.B}", $"{Points(i.Value, i.Low, i.High)}, p {P(i.AdjustedP)}", i.Utility is { } u ? Points(u.Value, u.Low, u.High) : ReportText.Dash, Reading(i, r.Analysis.Contributions)])]);

    /// <summary>Redundancy and antagonism both make an interaction positive; a part that makes the other worse tells them apart.</summary>
    public static string Reading(Interaction i, IReadOnlyList<Contribution> contributions)
    {
        if (i.AdjustedP >= Comparison.Level)
        {
            return "not told apart from none";
        }

        var weakens = contributions.Any(c => c.Attack == i.Attack && c.Success.IsRise && ((c.Part == i.A && c.Rest == i.B) || (c.Part == i.B && c.Rest == i.A)));
        return i.Value < 0 ? "synergy: they strengthen each other" : weakens ? "antagonism: together they are worse than one alone" : "redundancy: they close the same hole";
    }

    private static AnalysisTable Contributions(StudyReport r) => new(
        "contributions", "What each part adds to a stack", $"Success under the stack less that without the part, points. {Corrected}",
        ["attack", "stack", "part", "difference", "of utility", "reading"],
        [.. r.Analysis.Contributions.Select(c => (string[])
            [c.Attack, c.Stack, c.Part, Points(c.Success), c.Utility is { } u ? Points(u.Value, u.Low, u.High) : ReportText.Dash, Word(c.Success, "helps", "makes it worse")])]);

    private static AnalysisTable Orders(StudyReport r) => new(
        "orders", "Does the order matter?", $"Success in the first order less that in the second, points. {Corrected}", ["attack", "first", "second", "difference", "reading"],
        [.. r.Analysis.Orders.Select(o => (string[])[o.Attack, o.First, o.Second, Points(o.Success), Word(o.Success, "the first is better", "the second is better")])]);

    private static AnalysisTable Interferences(StudyReport r) => new(
        "interferences", "Defenses that harm each other", "", ["what", "who", "whom", "evidence"], [.. r.Analysis.Interferences.Select(i => (string[])[Words(i.Kind), i.Source, i.Target, i.What])]);

    private static string Words(InterferenceKind kind) => kind switch
    {
        InterferenceKind.RepairUndoesImmunization => "a repair undoes an immunization",
        InterferenceKind.LooksLikeAnAttack => "a defense looks like an attack",
        _ => "a part weakens the rest",
    };

    private static string Word(Comparison c, string fall, string rise) => c.IsFall ? fall : c.IsRise ? rise : "not told apart from nothing";

    private static string Of(int some, int all) => $"{PageText.Number(some, "0")} of {PageText.Number(all, "0")}";
}
