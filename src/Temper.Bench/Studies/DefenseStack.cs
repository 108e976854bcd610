using Temper.Core;
using Temper.Lifecycle;

namespace Temper.Bench.Studies;

/// <summary>What keeps techniques from standing in one stack.</summary>
public sealed record StackConflict(string Found, string Expected);

/// <summary>Several defenses as one: by phase, and within a phase in the order given.</summary>
public static class DefenseStack
{
    /// <summary>Each acts when its phase comes, whatever the order in which they are listed.</summary>
    public static IEnumerable<TechniqueUse> InOrder(IEnumerable<TechniqueUse> stack) => stack.OrderBy(t => CardOf(t).Phase);

    /// <summary>Why these techniques cannot stand together; null where they can.</summary>
    public static StackConflict? Conflict(IReadOnlyList<TechniqueUse> stack)
    {
        if (stack.Count > 1 && stack.FirstOrDefault(t => t.Id == "none") is not null)
        {
            return new("none among others", "defenses only: `none` is an entry of its own");
        }

        if (stack.CountBy(t => t).FirstOrDefault(t => t.Value > 1) is { Value: > 1 } twice)
        {
            return new($"{twice.Key.Id} {twice.Value} times with the same settings", "different defenses, or different settings");
        }

        var techniques = stack.Select(t => (t.Id, Instance: Catalog.Find(t.Id, attack: false).Create(t.Settings))).ToArray();
        foreach (var part in (TuningPart[])[TuningPart.Loss, TuningPart.Batches])
        {
            var takers = techniques.Where(t => t.Instance is IExclusive taker && taker.Takes.HasFlag(part)).Select(t => t.Id).ToArray();
            if (takers.Length > 1)
            {
                return new($"{string.Join(" and ", takers)}, which each {(part == TuningPart.Loss ? "replace the loss" : "choose the batches")}", "at most one of them");
            }
        }

        var processes = techniques.Where(t => t.Instance is ITuningProcess).Select(t => t.Id).ToArray();
        return processes.Length > 1 ? new($"{string.Join(" and ", processes)}, which each take the place of the training run", "at most one of them") : null;
    }

    public static Card CardOf(TechniqueUse use) => Catalog.Find(use.Id, attack: false).Card;
}
