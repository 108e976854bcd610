using Temper.Bench.Reports;
using Temper.Bench.Studies;
using Temper.Core;
using Temper.Lifecycle;

namespace Temper.Bench.Hardening;

/// <summary>One attack of the profile before and after.</summary>
/// <param name="Undefended">On the seeds of the confirmation.</param>
/// <param name="Protection">How the stack changes it, paired by question; null where that could not be compared.</param>
/// <param name="Holds">Success is below that of the undefended model and below one half, with all of its interval over the seeds.</param>
public sealed record HardenedAttack(string Attack, Phase Phase, string Undefended, string Hardened, Comparison? Protection, bool Holds);

/// <summary>What a hardening found: the stack (empty where none is worth it), how it was found, and the evidence on fresh seeds.</summary>
/// <param name="Evidence">The undefended model and the stack under every attack.</param>
/// <param name="Parts">The stack without each of its parts; null where it has one.</param>
public sealed record HardenResult(
    HardenRequest Request, IReadOnlyList<TechniqueUse> Stack, IReadOnlyList<HardenRound> Rounds, IReadOnlyList<string> Notes, StudyReport Evidence, StudyReport? Parts)
{
    public string Name => Stack.Count == 0 ? StudyGrid.None : Evidence.Defenses[^1].Name;

    /// <summary>The confirmed figures of the undefended model and, behind it, of the stack.</summary>
    public IReadOnlyList<HardenOutcome> Confirmed => Rounds.First(r => r.Name == "confirmation").Outcomes;

    public IReadOnlyList<HardenedAttack> Attacks()
    {
        var grid = new StudyGrid(Evidence.Cells, Evidence.UtilityFloor);
        var (none, stack) = (grid.Defenses.First(d => d.IsNone), grid.Defenses.First(d => d.Id == Name));
        return
        [
            .. from attack in grid.Attacks
               where attack.Id != StudyGrid.None
               let before = grid.At(Request.Model.Name, attack, none)
               let after = grid.At(Request.Model.Name, attack, stack)
               let protection = Evidence.Analysis.Effects.FirstOrDefault(e => e.Attack == attack.Id && e.Defense == Name)?.Success
               select new HardenedAttack(
                   attack.Id, attack.Phase, ReportText.Full(before.Success), ReportText.Full(after.Success), protection,
                   after.Success.High < SearchOutcome.Broken && after.Success.High < before.Success.Low),
        ];
    }

    /// <summary>What the stack does not protect against, as far as that is known, and what nobody looked at.</summary>
    public IReadOnlyList<string> NotProtected()
    {
        var attacks = Attacks();
        var open = attacks.Where(a => !a.Holds).Select(a => $"{a.Attack}: success {a.Hardened}"
            + $", undefended {a.Undefended}");
        var searches = SearchOutcome.All(Evidence.Cells, Evidence.UtilityFloor).Where(s => s.Defense == Name && s.TrialsToBreak is not null)
            .Select(s => $"{s.Attack}: an attacker who searches breaks it after {HtmlTables.Breaking(s)} ({s.Configuration})");
        var phases = Enum.GetValues<Phase>().Where(p => attacks.All(a => a.Phase != p)).Select(p => $"{ReportText.Words(p)} attacks: none is in the profile");
        var tried = Request.Threats.Attacks.SelectMany(a => a.Configurations).Select(c => c.Technique.Id).Distinct(StringComparer.Ordinal).Count();
        var all = Catalog.All.Count(e => e.Card.Role == TechniqueRole.Attack && e.Card.Id != StudyGrid.None);
        return
        [
            .. open, .. searches, .. phases, $"{all - tried} of the {all} attacks of the catalog, which the profile does not have",
            $"other models, tasks and tuning configurations than these: {Request.Model.Name}, {(Request.Task.File is { } file ? Path.GetFileName(file) : $"{Request.Task.Rows} rows of the organisms' world")}, {Request.Plan.Steps} steps of {Request.Plan.BatchSize} at {Request.Plan.LearningRate}",
        ];
    }

    public string Sentence()
    {
        var before = Confirmed[0];
        if (Stack.Count == 0)
        {
            return $"No stack within the budgets is worth it; undefended, the worst attack ({before.WorstAttack}) succeeds at {ReportText.Percent(before.Worst)}.";
        }

        var (after, attacks) = (Confirmed[1], Attacks());
        return $"{Name} holds against {attacks.Count(a => a.Holds)} of {attacks.Count} attacks: worst success {ReportText.Percent(before.Worst)} ({before.WorstAttack}) becomes {ReportText.Percent(after.Worst)} ({after.WorstAttack}), "
            + $"mean {ReportText.Percent(before.Mean)} becomes {ReportText.Percent(after.Mean)}, at {ReportText.Percent(after.UtilityRatio)} of the utility and {PageText.Number(100 * (after.AddedRefusal ?? 0), "+0.0;-0.0;0.0")} points of over-refusal.";
    }
}
