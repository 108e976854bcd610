using Temper.Core;
using Temper.Engine.Models;

namespace Temper.Engine.Training;

/// <summary>A defender's own rows, from which a hook draws batches.</summary>
public sealed class RowSampler
{
    /// <exception cref="TemperException">No row has a token to predict.</exception>
    public RowSampler(string technique, IReadOnlyList<EncodedExample> rows, TrainingStart start)
    {
        var longest = Math.Min(start.Plan.MaxTokens, start.Model.Config.MaxPositions);
        Rows = [.. rows.Select(r => r.Cut(longest)).Where(r => r.HasTarget)];
        if (Rows.Count == 0)
        {
            throw new TemperException($"{technique}: found {rows.Count} rows of the defender and none with an answer to predict, expected one at least");
        }
    }

    /// <summary>Those with a target, cut to what the model reads.</summary>
    public IReadOnlyList<EncodedExample> Rows { get; }

    /// <summary>Rows drawn with replacement.</summary>
    public Batch Draw(int count, Random random) => Batch.Of([.. Enumerable.Range(0, count).Select(_ => Rows[random.Next(Rows.Count)])]);

    /// <summary>The same, by the seed of a step.</summary>
    public Batch Draw(int count, ulong seed) => Draw(count, new Random(unchecked((int)seed)));
}
