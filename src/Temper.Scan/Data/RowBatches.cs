using Temper.Formats.Data;

namespace Temper.Scan.Data;

/// <summary>Works on rows in parallel and hands the results over in the order of the rows, so that a scan says the same whatever the number of jobs.</summary>
internal static class RowBatches
{
    // Few enough that the rows of a batch die young: what outlives a collection of the youngest generation is what memory grows by.
    private const int MostRows = 256;
    private const int MostBytes = 4 << 20;

    /// <summary>The most bytes of rows that are held at once.</summary>
    private const long MostHeld = 64L << 20;

    // The collector lets garbage grow to hundreds of megabytes before it looks, since so much of what it first sees is kept (the sample).
    private const long MostGarbage = 32L << 20;

    public static void Run<T>(DataFile file, int jobs, Func<DataRow, T> work, Action<RawRow, DataRow, T> take, CancellationToken cancellation)
    {
        var batches = new List<List<RawRow>> { new() };
        var (bytes, held, allocated) = (0L, 0L, GC.GetTotalAllocatedBytes());
        foreach (var raw in file.Raw(cancellation))
        {
            if (batches[^1].Count == MostRows || bytes > MostBytes)
            {
                if (batches.Count >= jobs * 2 || held > MostHeld)
                {
                    Flush(file, jobs, batches, work, take, cancellation);
                    held = 0;
                    if (GC.GetTotalAllocatedBytes() is var now && now - allocated > MostGarbage)
                    {
                        GC.Collect(1, GCCollectionMode.Forced, blocking: true);
                        allocated = now;
                    }
                }

                batches.Add([]);
                bytes = 0;
            }

            batches[^1].Add(raw);
            bytes += raw.Bytes.Length;
            held += raw.Bytes.Length;
        }

        Flush(file, jobs, batches, work, take, cancellation);
    }

    private static void Flush<T>(DataFile file, int jobs, List<List<RawRow>> batches, Func<DataRow, T> work, Action<RawRow, DataRow, T> take, CancellationToken cancellation)
    {
        var done = new (DataRow Row, T Result)[batches.Count][];
        void One(int b) => done[b] = [.. batches[b].Select(file.Read).Select(row => (row, work(row)))];
        if (jobs == 1)
        {
            for (var b = 0; b < done.Length; b++)
            {
                One(b);
            }
        }
        else
        {
            Parallel.For(0, done.Length, new() { MaxDegreeOfParallelism = jobs, CancellationToken = cancellation }, One);
        }

        for (var b = 0; b < done.Length; b++)
        {
            for (var r = 0; r < done[b].Length; r++)
            {
                take(batches[b][r], done[b][r].Row, done[b][r].Result);
            }
        }

        batches.Clear();
    }
}
