using System.Text.Json.Serialization;
using Temper.Bench.Reports;
using Temper.Bench.Searching;
using Temper.Bench.Statistics;
using Temper.Bench.Studies;

namespace Temper.Bench.Hardening;

/// <summary>What became of a stack in a round.</summary>
public enum HardenFate { Measured, Promoted, Chosen, Dropped, TooCostly, Failed }

/// <summary>A stack in a round.</summary>
/// <param name="Score">Half the worst case, half the mean over the attacks of the round; null where it was not measured.</param>
public sealed record HardenOutcome(string Stack, double? Score, double? Worst, string WorstAttack, double? Mean, double? UtilityRatio, double? AddedRefusal, HardenFate Fate, string Reason)
{
    [JsonIgnore]
    public StudyDefense Defense { get; init; } = new("", []);

    /// <summary>The highest success of each attack.</summary>
    public IReadOnlyDictionary<string, double> Attacks { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);

    /// <summary>How a stack did in a report, and whether it stays within the budgets.</summary>
    internal static HardenOutcome Of(StudyReport report, StudyDefense defense, HardenRequest request)
    {
        var grid = new StudyGrid(report.Cells, report.UtilityFloor);
        var standing = DefenseStanding.All(grid).First(s => s.Defense.Id == defense.Name);
        var squares = grid.Expected(standing.Defense).Where(s => s.Attack.Id != StudyGrid.None).ToArray();
        if (!squares.All(s => s.Complete) || squares.Length == 0 || (standing.UtilityRatio is null && request.UtilityLoss < 1))
        {
            var reason = squares.All(s => s.Complete) ? "the undefended model has no utility to keep" : report.Cells.FirstOrDefault(c => c.Defense == defense.Name && c.Status != CellStatus.Done)?.Reason ?? "a cell has neither harm nor ASR";
            return new(defense.Name, null, null, "", null, standing.UtilityRatio, standing.AddedRefusal, HardenFate.Failed, reason) { Defense = defense };
        }

        var worst = squares.MaxBy(s => s.Success.Value)!;
        var mean = squares.Average(s => s.Success.Value!.Value);
        var (fate, why) = standing.UtilityRatio < 1 - request.UtilityLoss ? (HardenFate.TooCostly, $"keeps {ReportText.Percent(standing.UtilityRatio)} of the utility")
            : standing.AddedRefusal > request.OverRefusal ? (HardenFate.TooCostly, $"refuses {ReportText.Percent(standing.AddedRefusal)} more benign requests")
            : (HardenFate.Measured, "");
        return new(defense.Name, Robustness.Score(worst.Success.Value!.Value, mean), worst.Success.Value, worst.Attack.Id, mean, standing.UtilityRatio, standing.AddedRefusal, fate, why)
        {
            Defense = defense, Attacks = squares.GroupBy(s => s.Attack.Id, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Max(s => s.Success.Value!.Value), StringComparer.Ordinal),
        };
    }
}

/// <summary>One study of a hardening.</summary>
/// <param name="Level">How many defenses the stacks have; 0 is undefended.</param>
/// <param name="Rung">From 1; each is dearer than the one before, with fewer stacks.</param>
public sealed record HardenRound(string Name, int Level, int Rung, IReadOnlyList<string> Attacks, IReadOnlyList<HardenOutcome> Outcomes)
{
    /// <summary>Stages that were in the store before, from an earlier run or another study.</summary>
    public int Reused { get; init; }

    public int Stages { get; init; }
}

/// <summary>The order in which attacks are brought up: the strongest against what is best so far, then all that do not search, then those too.</summary>
internal static class HardenRungs
{
    private const int First = 2;

    public static IReadOnlyList<IReadOnlyList<StudyAttack>> Of(IReadOnlyList<StudyAttack> attacks, IReadOnlyDictionary<string, double> success)
    {
        StudyAttack[] plain = [.. attacks.Where(a => a.Search is null)];
        StudyAttack[] strongest = [.. plain.OrderByDescending(a => success.GetValueOrDefault(a.Name)).Take(First)];
        List<IReadOnlyList<StudyAttack>> rungs = [];
        foreach (var rung in (IReadOnlyList<StudyAttack>[])[strongest, plain, attacks])
        {
            if (rung.Count > 0 && rung.Count > (rungs.Count == 0 ? 0 : rungs[^1].Count))
            {
                rungs.Add(rung);
            }
        }

        return rungs;
    }

    /// <summary>Cells of one defense and seed under these attacks, and plain tuning.</summary>
    public static int Cells(IReadOnlyList<StudyAttack> attacks) => 1 + attacks.Sum(a => a.Search is { Budget: SearchBudget budget } ? budget.Trials : a.Configurations.Count);
}
