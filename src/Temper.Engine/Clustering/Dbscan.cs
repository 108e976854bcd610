namespace Temper.Engine.Clustering;

/// <summary>Clusters of any shape, by density (Ester et al. 1996).</summary>
public static class Dbscan
{
    /// <summary>The cluster of rows in no dense place.</summary>
    public const int NoCluster = -1;

    /// <summary>The cluster of every row, from 0, or <see cref="NoCluster"/>.</summary>
    /// <param name="distances">n of n distances.</param>
    /// <param name="radius">ε: rows within it are neighbors; a row is its own.</param>
    /// <param name="minimum">Neighbors, itself among them, that make a row a core.</param>
    public static IReadOnlyList<int> Cluster(IReadOnlyList<float[]> distances, double radius, int minimum)
    {
        var n = distances.Count;
        var near = distances.Select(row => Enumerable.Range(0, n).Where(j => row[j] <= radius).ToArray()).ToArray();
        var found = Enumerable.Repeat(NoCluster, n).ToArray();
        var clusters = 0;
        for (var i = 0; i < n; i++)
        {
            if (found[i] != NoCluster || near[i].Length < minimum)
            {
                continue;
            }

            var open = new Queue<int>([i]);
            found[i] = clusters;
            while (open.TryDequeue(out var core))
            {
                foreach (var j in near[core].Where(j => found[j] == NoCluster))
                {
                    found[j] = clusters;
                    if (near[j].Length >= minimum)
                    {
                        open.Enqueue(j);
                    }
                }
            }

            clusters++;
        }

        return found;
    }

    /// <summary>The distance of every row to the k-th nearest other one; where it bends, ε lies.</summary>
    public static IReadOnlyList<float> NeighborDistances(IReadOnlyList<float[]> distances, int k) =>
        [.. distances.Select(row => row.Order().ElementAt(Math.Min(k, row.Length - 1)))];
}
