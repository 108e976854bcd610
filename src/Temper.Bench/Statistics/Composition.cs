using Temper.Bench.Reports;
using Temper.Bench.Studies;

namespace Temper.Bench.Statistics;

/// <summary>What the defenses of a stack do to each other (methods.md C.4.2).</summary>
internal sealed class Composition(Study study, StudyGrid grid, AnswerTable answers)
{
    private IEnumerable<StudyDefense> Stacks => study.Defenses.Where(d => d.Stack.Count > 1);

    /// <summary>I = H(none) - H(a) - H(b) + H(a + b) on the probability scale, of every pair whose parts the study also has alone; below zero they strengthen each other.</summary>
    public IReadOnlyList<Interaction> Interactions()
    {
        var found = (from stack in Stacks.Where(s => s.Stack.Count == 2)
                     let parts = stack.Stack.Select(part => Named([part])).ToArray()
                     where parts.All(p => p is not null)
                     from attack in grid.Attacks
                     let terms = ((string, double)[])[(StudyGrid.None, 1), (parts[0]!, -1), (parts[1]!, -1), (stack.Name, 1)]
                     let success = answers.Compare(attack, terms)
                     where success is not null
                     select new Interaction(attack.Id, parts[0]!, parts[1]!, success.Value, success.Low, success.High)
                     {
                         P = success.P, Utility = answers.Compare(attack, terms, utility: true),
                     }).ToArray();
        return Holm.Adjust(found, i => i.P, (i, p) => i with { AdjustedP = p });
    }

    /// <summary>Of every stack and each of its parts, where the study also has the stack without it.</summary>
    public IReadOnlyList<Contribution> Contributions()
    {
        var found = (from stack in Stacks
                     from i in Enumerable.Range(0, stack.Stack.Count)
                     let rest = Named([.. stack.Stack.Where((_, k) => k != i)])
                     where rest is not null
                     from attack in grid.Attacks
                     let terms = ((string, double)[])[(stack.Name, 1), (rest, -1)]
                     let success = answers.Compare(attack, terms)
                     where success is not null
                     select new Contribution(attack.Id, stack.Name, Named([stack.Stack[i]]) ?? stack.Stack[i].Id, rest, success, answers.Compare(attack, terms, utility: true))).ToArray();
        return Holm.Adjust(found, c => c.Success.P, (c, p) => c with { Success = c.Success with { AdjustedP = p } });
    }

    /// <summary>Of stacks that differ in their order alone.</summary>
    public IReadOnlyList<OrderEffect> Orders()
    {
        var stacks = Stacks.ToArray();
        var found = (from i in Enumerable.Range(0, stacks.Length)
                     from k in Enumerable.Range(i + 1, stacks.Length - i - 1)
                     where !stacks[i].Stack.SequenceEqual(stacks[k].Stack) && Sorted(stacks[i]).SequenceEqual(Sorted(stacks[k]))
                     from attack in grid.Attacks
                     let success = answers.Compare(attack, [(stacks[i].Name, 1), (stacks[k].Name, -1)])
                     where success is not null
                     select new OrderEffect(attack.Id, stacks[i].Name, stacks[k].Name, success)).ToArray();
        return Holm.Adjust(found, o => o.Success.P, (o, p) => o with { Success = o.Success with { AdjustedP = p } });
    }

    /// <summary>Of every defense and attack.</summary>
    public IReadOnlyList<Effect> Effects()
    {
        var found = (from defense in grid.Defenses.Where(d => !d.IsNone)
                     from attack in grid.Attacks
                     let success = answers.Compare(attack, [(defense.Id, 1), (StudyGrid.None, -1)])
                     where success is not null
                     select new Effect(attack.Id, attack.Phase, defense.Id, success)).ToArray();
        return Holm.Adjust(found, e => e.Success.P, (e, p) => e with { Success = e.Success with { AdjustedP = p } });
    }

    private string? Named(IReadOnlyList<TechniqueUse> stack) => study.Defenses.FirstOrDefault(d => d.Stack.SequenceEqual(stack))?.Name;

    private static IEnumerable<TechniqueUse> Sorted(StudyDefense defense) => defense.Stack.OrderBy(t => t.Id, StringComparer.Ordinal).ThenBy(t => t.Settings, StringComparer.Ordinal);
}
