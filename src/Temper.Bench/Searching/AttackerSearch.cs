namespace Temper.Bench.Searching;

/// <summary>Which configurations an attacker tries next, given what came of those before: a function of its arguments, so that a search that was cut off goes on as it would have.</summary>
public static class AttackerSearch
{
    /// <summary>The next trials; none when the budget is spent.</summary>
    /// <param name="tried">In the order in which they were tried.</param>
    /// <param name="steps">The training steps that a trial takes.</param>
    public static IReadOnlyList<Trial> Next(AttackSearch search, IReadOnlyList<TrialResult> tried, int seed, Func<Trial, int> steps)
    {
        var proposed = search.Budget.Method switch
        {
            SearchMethod.Halving => SuccessiveHalving.Next(search, tried, seed),
            SearchMethod.Random => Draw(search, tried, seed, random => Uniform(search, random)),
            _ => tried.Count < TreeParzen.Startup
                ? Draw(search, tried, seed, random => Uniform(search, random), TreeParzen.Startup - tried.Count)
                : Draw(search, tried, seed, random => TreeParzen.Propose(search.Space, tried, random)),
        };
        var spent = tried.Sum(t => (long)steps(t.Trial));
        List<Trial> within = [];
        foreach (var trial in proposed.Take(search.Budget.Trials - tried.Count))
        {
            spent += steps(trial);
            if (spent > (search.Budget.Steps ?? long.MaxValue))
            {
                break;
            }

            within.Add(trial);
        }

        return within;
    }

    internal static Trial Uniform(AttackSearch search, Random random) => new([.. search.Space.Select(_ => random.NextDouble())]);

    // what was tried is drawn again only where the space seems used up
    private static List<Trial> Draw(AttackSearch search, IReadOnlyList<TrialResult> tried, int seed, Func<Random, Trial> propose, int most = int.MaxValue)
    {
        const int Attempts = 64;
        var random = new Random(seed + tried.Count);
        var seen = tried.Select(t => t.Trial.Key(search)).ToHashSet(StringComparer.Ordinal);
        List<Trial> drawn = [];
        var wanted = Math.Min(search.Budget.Parallel, most);
        for (var attempt = 0; attempt < Attempts && drawn.Count < wanted; attempt++)
        {
            var trial = propose(random);
            if (seen.Add(trial.Key(search)))
            {
                drawn.Add(trial);
            }
        }

        return drawn;
    }
}
