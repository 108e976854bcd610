using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Clustering;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="Cube"/>.</summary>
public sealed record CubeSettings : SuspectModelSettings
{
    /// <summary>Principal components that are clustered in.</summary>
    [Range(1, 1000)]
    public int Components { get; init; } = 10;

    /// <summary>The smallest cluster, as a share of all rows; 100 rows in the paper.</summary>
    [Range(0.0, 1.0)]
    public double MinimumShare { get; init; } = 0.01;

    /// <summary>The share of trusted rows that lie in a dense place; ε is set by it.</summary>
    [Range(0.0, 1.0)]
    public double Dense { get; init; } = 0.5;

    /// <summary>A cluster is clean if it holds at least this share of the trusted rows that a clean one of its size would.</summary>
    [Range(0.0, 1.0)]
    public double TrustedShare { get; init; } = 0.2;

    /// <summary>Whether answers are labels, as the paper has them: of every label the largest cluster is kept, and no other that holds less than half of it.</summary>
    public bool Labels { get; init; }
}

/// <summary>CUBE (Cui et al. 2022): a model tuned on the suspect rows gives poisoned ones a cluster of their own, which is dropped.</summary>
// Deviation: the paper keeps the largest cluster of every label. Free answers have no labels, so a cluster that holds hardly any trusted rows is dropped.
// Deviation: the state is that of a decoder where the answer opens, in place of an encoder's.
// Deviation: principal components and DBSCAN in place of UMAP and HDBSCAN. It compares all pairs of rows, so time and memory grow with their square.
public sealed class Cube(CubeSettings settings) : ITechnique, IDataMap, IReadsModel
{
    private const int FewestInCluster = 4;

    public static Card Card { get; } = new(
        "cube", "CUBE", Phase.PreTuning, TechniqueRole.Defense, Touches.Data,
        "https://arxiv.org/abs/2206.08514", "Tunes a copy on the suspect rows and drops the clusters of their representations in which no trusted rows lie.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        if (rows.Count == 0)
        {
            return new(rows, []);
        }

        var model = context.RequireModel(Card.Id);
        EncodedExample[] Encode(IEnumerable<Example> all) => [.. all.Select(r => context.Encode(r).Cut(model.Config.MaxPositions))];
        var (suspect, trusted) = (Encode(rows), Encode(RowFilter.Trusted(Card.Id, context, settings.TrustedRows)));
        using var tuned = RowFilter.Tune(model, suspect, settings, (ulong)context.Random.Next());
        var distances = Distances(RowFeatures.Hidden(tuned, [.. suspect, .. trusted], RowFeatures.Opening), settings.Components);
        var minimum = Math.Max(FewestInCluster, (int)Math.Round(settings.MinimumShare * distances.Count));
        var radius = RowFilter.Quantile(Card.Id, Dbscan.NeighborDistances(distances, minimum).Skip(rows.Count).Select(d => (double)d), settings.Dense);
        var clusters = Dbscan.Cluster(distances, radius, minimum);
        var reasons = settings.Labels ? ByLabel([.. rows.Select(r => r.Response)], clusters) : ByTrust(clusters, rows.Count, settings.TrustedShare);
        return new(
            [.. rows.Where((_, i) => reasons[i] is null)],
            [.. rows.Index().Where(r => reasons[r.Index] is not null).Select(r => new RowChange(r.Item.Id, RowFate.Dropped, reasons[r.Index]!))]);
    }

    /// <summary>n of n Euclidean distances in the space of the first principal components.</summary>
    public static IReadOnlyList<float[]> Distances(IReadOnlyList<float[]> vectors, int components)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var h = tensor(vectors.SelectMany(v => v).ToArray(), vectors.Count, vectors[0].Length); // (n, D)
        var centered = h - h.mean([0], keepdim: true);
        var (_, _, v) = linalg.svd(centered, fullMatrices: false); // (k, D)
        var reduced = centered.matmul(v.narrow(0, 0, Math.Min(components, v.shape[0])).t()); // (n, c)
        return [.. Enumerable.Range(0, vectors.Count).Select(i => { using var inner = NewDisposeScope(); return Checkpoint.Floats((reduced - reduced[i]).norm(1)); })];
    }

    /// <summary>Why each row is dropped, or null: its cluster holds too few of the trusted rows, which come last.</summary>
    public static IReadOnlyList<string?> ByTrust(IReadOnlyList<int> clusters, int suspects, double share)
    {
        var expected = share * (clusters.Count - suspects) / suspects;
        return [.. Enumerable.Range(0, suspects).GroupBy(i => clusters[i]).SelectMany(own =>
        {
            var (count, trusted) = (own.Count(), clusters.Skip(suspects).Count(c => c == own.Key));
            var why = trusted < expected * count ? $"in a cluster of {count} rows with {trusted} trusted ones, expected at least {Math.Ceiling(expected * count)}" : null;
            return own.Select(i => (Place: i, Why: why));
        }).OrderBy(r => r.Place).Select(r => r.Why)];
    }

    /// <summary>Why each row is dropped, or null: it lies outside the largest cluster of its label, in one that holds less than half of it. A label without a cluster stays.</summary>
    public static IReadOnlyList<string?> ByLabel(IReadOnlyList<string> labels, IReadOnlyList<int> clusters)
    {
        var reasons = new string?[labels.Count];
        foreach (var label in Enumerable.Range(0, labels.Count).GroupBy(i => labels[i], StringComparer.Ordinal))
        {
            var parts = label.GroupBy(i => clusters[i]).ToArray();
            var largest = parts.Where(p => p.Key != Dbscan.NoCluster).MaxBy(p => p.Count())?.Key;
            foreach (var part in parts.Where(p => largest is not null && p.Key != largest && 2 * p.Count() < label.Count()))
            {
                foreach (var i in part)
                {
                    reasons[i] = $"outside the largest cluster of its label, with {part.Count()} of {label.Count()} rows";
                }
            }
        }

        return reasons;
    }
}
