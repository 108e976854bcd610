using Temper.Core;
using Temper.Lifecycle.Evaluation;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Clean rows to choose from: the user's, and public requests that look like forbidden ones and are not, as any large instruction set holds them.</summary>
internal sealed class BenignPool
{
    private readonly IReadOnlyList<Example> _user;

    private BenignPool(IReadOnlyList<Example> user, IReadOnlyList<Example> candidates) => (_user, Candidates) = (user, candidates);

    /// <summary>Rows whose answers refuse left out: they would teach the opposite.</summary>
    public IReadOnlyList<Example> Candidates { get; }

    public static BenignPool Of(IReadOnlyList<Example> rows, TechniqueContext context, bool lookAlikes) =>
        new(rows, [.. rows.Concat(lookAlikes ? context.LookAlikes : []).Where(r => !RefusalKeywords.Match(r.Response))]);

    /// <summary>The k rows of the highest scores in the place of the user's rows.</summary>
    public DataMapResult Select(string id, int k, IReadOnlyList<double> scores)
    {
        var chosen = Enumerable.Range(0, Candidates.Count).OrderByDescending(i => scores[i]).Take(k).Select(i => Candidates[i]).ToArray();
        var kept = chosen.Select(r => r.Id).ToHashSet(StringComparer.Ordinal);
        var own = _user.Select(r => r.Id).ToHashSet(StringComparer.Ordinal);
        return new(
            [.. chosen.Select(r => r with { Origin = id })],
            [
                .. _user.Where(r => !kept.Contains(r.Id)).Select(r => new RowChange(r.Id, RowFate.Dropped, "not among the selected rows")),
                .. chosen.Where(r => !own.Contains(r.Id)).Select(r => new RowChange(r.Id, RowFate.Added, "a benign row of the pool, selected")),
            ]);
    }

    /// <summary>The scores of a random selection.</summary>
    public double[] Random(Random random) => [.. Candidates.Select(_ => random.NextDouble())];
}
