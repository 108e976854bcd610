using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>An attacker's rows at random places among the user's.</summary>
internal static class PoisonedRows
{
    /// <summary>As many of the user's rows as there are places for are replaced, each of the attacker's as often as any other.</summary>
    /// <param name="write">The attacker's row of that number.</param>
    public static DataMapResult Replace(IReadOnlyList<Example> rows, int count, string id, Random random, Func<int, Example> write)
    {
        var places = Enumerable.Range(0, rows.Count).ToArray();
        random.Shuffle(places);
        var result = rows.ToArray();
        var changes = new List<RowChange>();
        foreach (var (i, place) in places.Take(count).Index())
        {
            result[place] = write(i) with { Id = $"{id}-{i}", Origin = id };
            changes.Add(new(rows[place].Id, RowFate.Changed, $"replaced by an attacker's row ({result[place].Kind})"));
        }

        return new(result, changes);
    }
}
