using Temper.Engine.Clustering;

namespace Temper.Engine.Tests.Clustering;

public sealed class DbscanTests
{
    [Fact]
    public void Two_groups_and_a_row_between_them_are_two_clusters_and_no_cluster()
    {
        float[] places = [0, 0.1f, 0.2f, 0.3f, 5, 10, 10.1f, 10.2f, 10.3f];

        Assert.Equal([0, 0, 0, 0, Dbscan.NoCluster, 1, 1, 1, 1], Dbscan.Cluster(Distances(places), 0.15, 3));
    }

    [Fact]
    public void A_chain_of_cores_is_one_cluster_however_long_and_its_ends_belong_to_it()
    {
        float[] places = [.. Enumerable.Range(0, 50).Select(i => (float)i)];

        Assert.All(Dbscan.Cluster(Distances(places), 1, 3), c => Assert.Equal(0, c));
        Assert.All(Dbscan.Cluster(Distances(places), 0.5, 2), c => Assert.Equal(Dbscan.NoCluster, c));
    }

    [Fact]
    public void Neighbor_distances_are_those_of_the_k_th_other_row() =>
        Assert.Equal([3f, 2f, 3f, 5f], Dbscan.NeighborDistances(Distances([0, 1, 3, 6]), 2));

    private static float[][] Distances(float[] places) => [.. places.Select(a => places.Select(b => Math.Abs(a - b)).ToArray())];
}
