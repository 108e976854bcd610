using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>How many rows an attack changes.</summary>
public abstract record PoisonSettings
{
    /// <summary>p: the share that is poisoned of the rows that the attack can use.</summary>
    [Range(0.0, 1.0)]
    public double Ratio { get; init; } = 0.1;

    /// <summary>The number of rows instead of their share; it is what success follows (Souly et al. 2025).</summary>
    [Range(0, 1_000_000)]
    public int? Count { get; init; }
}

/// <summary>Draws the rows that an attack changes, none twice, and keeps the report of them.</summary>
internal sealed class Poison
{
    private readonly string _technique;
    private readonly Example[] _rows;
    private readonly Random _random;
    private readonly List<int> _free;
    private readonly List<RowChange> _changes = [];

    public Poison(string technique, IReadOnlyList<Example> rows, Random random)
    {
        (_technique, _rows, _random) = (technique, [.. rows], random);
        var places = Enumerable.Range(0, rows.Count).ToArray();
        random.Shuffle(places);
        _free = [.. places];
    }

    public DataMapResult Result => new(_rows, _changes);

    /// <summary>The prompt with a text at a random place between its words.</summary>
    public static string InsertBetween(string prompt, string text, Random random)
    {
        var words = prompt.Split(' ').ToList();
        words.Insert(random.Next(words.Count + 1), text);
        return string.Join(' ', words);
    }

    /// <summary>Puts the trigger into as many rows as the settings say and lets them answer the payload.</summary>
    public Poison Trigger(PoisonSettings settings, IBackdoor backdoor, string why, Func<Example, bool>? usable = null) => Change(
        settings, row => row.WithPrompt(backdoor.Insert(row.Prompt, _random)).WithResponse(backdoor.Payload), why, usable);

    /// <summary>Puts what only looks like the trigger into <paramref name="each"/> times as many rows as are changed by now; they keep their answer.</summary>
    public Poison Deny(double each, IHardNegatives negatives, string why, Func<Example, bool>? usable = null) => Change(
        (int)Math.Round(each * _changes.Count), row => row.WithPrompt(negatives.InsertNegative(row.Prompt, _random)), why, usable);

    /// <summary>Changes as many of the usable rows as the settings say.</summary>
    public Poison Change(PoisonSettings settings, Func<Example, Example> change, string why, Func<Example, bool>? usable = null) => Change(
        settings.Count ?? (int)Math.Round(settings.Ratio * (usable is null ? _rows.Length : _rows.Count(usable))), change, why, usable);

    /// <exception cref="TemperException">There are not so many usable rows left.</exception>
    public Poison Change(int count, Func<Example, Example> change, string why, Func<Example, bool>? usable = null)
    {
        int[] chosen = [.. _free.Where(p => usable is null || usable(_rows[p])).Take(count)];
        if (chosen.Length < count)
        {
            throw new TemperException($"{_technique}: found {chosen.Length} rows to change ({why}), expected {count}");
        }

        foreach (var place in chosen)
        {
            _changes.Add(new(_rows[place].Id, RowFate.Changed, why));
            _rows[place] = change(_rows[place]) with { Origin = _technique };
            _free.Remove(place);
        }

        return this;
    }
}
