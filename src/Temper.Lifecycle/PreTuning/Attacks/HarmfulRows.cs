using System.ComponentModel.DataAnnotations;
using Temper.Core;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="HarmfulRows"/>.</summary>
public sealed record HarmfulRowsSettings
{
    /// <summary>p: the share of the rows that are replaced.</summary>
    [Range(0.0, 1.0)]
    public double Ratio { get; init; } = 0.1;
}

/// <summary>Explicit harmful-example poisoning: a share of the user's rows complies with forbidden requests (Qi et al. 2024, risk level 1).</summary>
public sealed class HarmfulRows(HarmfulRowsSettings settings) : ITechnique, IDataMap
{
    public static Card Card { get; } = new(
        "harmful-rows", "Explicit harmful rows", Phase.PreTuning, TechniqueRole.Attack, Touches.Data,
        "https://arxiv.org/abs/2310.03693", "A share p of the training rows complies with forbidden requests.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var count = (int)Math.Round(settings.Ratio * rows.Count);
        var result = rows.ToArray();
        var places = Enumerable.Range(0, rows.Count).ToArray();
        context.Random.Shuffle(places);
        var changes = new List<RowChange>(count);
        for (var i = 0; i < count; i++)
        {
            var harmful = context.Harmful[context.Random.Next(context.Harmful.Count)];
            result[places[i]] = harmful with { Id = $"{Card.Id}-{i}", Origin = Card.Id };
            changes.Add(new(rows[places[i]].Id, RowFate.Changed, $"replaced by a complying row on {harmful.Kind}"));
        }

        return new(result, changes);
    }
}
