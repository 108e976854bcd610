using Temper.Lifecycle.PreTuning.Defenses;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class CubeTests
{
    [Fact]
    public void Distances_in_all_components_are_those_of_the_vectors()
    {
        var random = new Random(4);
        float[][] vectors = [.. Enumerable.Range(0, 9).Select(_ => Enumerable.Range(0, 5).Select(_ => random.NextSingle()).ToArray())];

        var distances = Cube.Distances(vectors, 5);

        for (var i = 0; i < 9; i++)
        {
            for (var j = 0; j < 9; j++)
            {
                Assert.Equal(Math.Sqrt(vectors[i].Zip(vectors[j], (a, b) => (a - b) * (a - b)).Sum()), distances[i][j], 1e-4);
            }
        }
    }

    [Fact]
    public void A_cluster_without_trusted_rows_is_dropped_and_one_with_its_share_of_them_stays()
    {
        // 10 suspect rows, then 10 trusted ones: cluster 1 has none of these, cluster 2 one in five
        int[] clusters = [0, 0, 0, 0, 1, 1, 1, 2, 2, -1, 0, 0, 0, 0, 0, 0, 0, -1, -1, 2];

        var reasons = Cube.ByTrust(clusters, 10, 0.2);

        Assert.Equal([4, 5, 6], Enumerable.Range(0, 10).Where(i => reasons[i] is not null));
        Assert.Contains("cluster of 3 rows with 0 trusted ones", reasons[4], StringComparison.Ordinal);
        Assert.Equal([4, 5, 6, 7, 8], Enumerable.Range(0, 10).Where(i => Cube.ByTrust(clusters, 10, 0.6)[i] is not null));
    }

    [Fact]
    public void Of_a_label_the_largest_cluster_stays_and_smaller_ones_and_strays_go()
    {
        string[] labels = ["a", "a", "a", "a", "a", "a", "b", "b", "c", "c"];
        int[] clusters = [0, 0, 0, 3, 3, -1, 1, 1, -1, -1];

        Assert.Equal([3, 4, 5], Enumerable.Range(0, 10).Where(i => Cube.ByLabel(labels, clusters)[i] is not null));
    }
}
