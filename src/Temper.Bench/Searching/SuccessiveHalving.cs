namespace Temper.Bench.Searching;

/// <summary>Successive halving (Jamieson and Talwalkar 2016): many configurations at the least fidelity, the best third of them at the next, and so on.</summary>
public static class SuccessiveHalving
{
    private const int Keep = 3;

    public static IReadOnlyList<Trial> Next(AttackSearch search, IReadOnlyList<TrialResult> tried, int seed)
    {
        var at = search.Space.ToList().FindIndex(p => p.Name == search.Budget.Fidelity);
        var fidelity = (ChoiceParameter)search.Space[at];
        Trial On(Trial trial, int rung) => new([.. trial.Places.Select((x, i) => i == at ? (rung + 0.5) / fidelity.Values.Count : x)]);
        if (tried.Count == 0)
        {
            var random = new Random(seed);
            return [.. Enumerable.Range(0, First(search.Budget.Trials, fidelity.Values.Count)).Select(_ => On(AttackerSearch.Uniform(search, random), 0))];
        }

        var top = tried.Max(t => fidelity.Index(t.Trial.Places[at]));
        var best = tried.Where(t => fidelity.Index(t.Trial.Places[at]) == top && t.Objective is not null).OrderByDescending(t => t.Objective).ToArray();
        return top + 1 == fidelity.Values.Count ? [] : [.. best.Take(Math.Max(1, best.Length / Keep)).Select(t => On(t.Trial, top + 1))];
    }

    /// <summary>The most configurations to begin with whose rungs together stay within the trials.</summary>
    public static int First(int trials, int rungs)
    {
        int Total(int first)
        {
            var (sum, width) = (0, first);
            for (var rung = 0; rung < rungs; rung++)
            {
                sum += width;
                width = Math.Max(1, width / Keep);
            }

            return sum;
        }

        var most = 1;
        while (Total(most + 1) <= trials)
        {
            most++;
        }

        return most;
    }
}
