namespace Temper.Engine.Training;

/// <summary>Which rows a step trains on: every row once per epoch, rows of like length together. Depends on the seed and the step only.</summary>
public sealed class BatchPlan
{
    private const int Window = 8; // steps whose rows are sorted together: less padding, still a shuffle
    private readonly IReadOnlyList<int> lengths;
    private readonly int rowsPerStep;
    private readonly ulong seed;
    private (int Epoch, int[][] Steps) current;

    public BatchPlan(IReadOnlyList<int> lengths, int rowsPerStep, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfZero(lengths.Count, nameof(lengths));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rowsPerStep);
        (this.lengths, this.rowsPerStep, this.seed) = (lengths, rowsPerStep, seed);
        current = (0, Order(0));
    }

    public int StepsPerEpoch => (lengths.Count + rowsPerStep - 1) / rowsPerStep;

    /// <summary>The rows of a step, by length.</summary>
    public IReadOnlyList<int> Rows(int step)
    {
        var epoch = step / StepsPerEpoch;
        if (current.Epoch != epoch)
        {
            current = (epoch, Order(epoch));
        }

        return current.Steps[step % StepsPerEpoch];
    }

    /// <summary>A seed for one use of many (SplitMix64).</summary>
    internal static ulong Mix(ulong seed, ulong stream)
    {
        var z = seed + (stream + 1) * 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    private int[][] Order(int epoch)
    {
        var chance = new Random((int)Mix(seed, (ulong)epoch));
        var rows = Enumerable.Range(0, lengths.Count).ToArray();
        chance.Shuffle(rows);
        var steps = rows.Chunk(rowsPerStep * Window).SelectMany(w => w.OrderBy(r => lengths[r]).Chunk(rowsPerStep)).ToArray();
        chance.Shuffle(steps);
        return steps;
    }
}
