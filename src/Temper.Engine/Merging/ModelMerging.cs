using Temper.Core;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Merging;

/// <summary>How one tensor is made of those of several models.</summary>
/// <param name="first">The one that stays the frame: the base of the task vectors, or one end of an interpolation.</param>
public delegate Tensor MergeRule(Tensor first, IReadOnlyList<Tensor> experts);

/// <summary>Merging of models of one architecture, tensor by tensor.</summary>
public static class ModelMerging
{
    private const double Parallel = 0.9995; // above this cosine an arc is a line

    /// <summary>Writes the merge into a model, which may be one of those that are merged.</summary>
    /// <exception cref="TemperException">A model has other tensors.</exception>
    public static void Into(CausalModel target, CausalModel first, IReadOnlyList<CausalModel> experts, MergeRule rule)
    {
        using var quiet = no_grad();
        foreach (var (name, weight) in target.Parameters)
        {
            using var scope = NewDisposeScope();
            Tensor Of(CausalModel model) => model.Parameters.TryGetValue(name, out var value) && value.shape.AsSpan().SequenceEqual(weight.shape) ? value.detach()
                : throw new TemperException($"merge: tensor {name}: found a model without it in shape [{string.Join(", ", weight.shape)}], expected models of one architecture and size");
            weight.copy_(rule(Of(first), [.. experts.Select(Of)]));
        }
    }

    /// <summary>(1 - t) first + t expert.</summary>
    public static MergeRule Linear(double t) => (first, experts) => first * (1 - t) + Single(experts) * t;

    /// <summary>Spherical interpolation between both ends as vectors (Shoemake 1985); a line where they are parallel.</summary>
    public static MergeRule Slerp(double t) => (first, experts) =>
    {
        var (a, b) = (first.reshape(-1), Single(experts).reshape(-1));
        var cosine = (a.dot(b) / (a.norm() * b.norm() + 1e-12)).item<float>();
        if (Math.Abs(cosine) > Parallel)
        {
            return first * (1 - t) + experts[0] * t;
        }

        var angle = Math.Acos(cosine);
        return (a * (Math.Sin((1 - t) * angle) / Math.Sin(angle)) + b * (Math.Sin(t * angle) / Math.Sin(angle))).reshape(first.shape);
    };

    /// <summary>base + sum of c_i (expert_i - base) (Ilharco et al. 2023).</summary>
    public static MergeRule TaskArithmetic(IReadOnlyList<double> coefficients) => (first, experts) =>
        experts.Zip(coefficients, (expert, c) => (expert - first) * c).Aggregate(first, (sum, delta) => sum + delta);

    /// <summary>TIES (Yadav et al. 2023): every task vector keeps the share of its entries that is largest, the sign with more mass wins each entry, and those that
    /// agree with it are averaged. <paramref name="coefficients"/> weigh the vectors.</summary>
    public static MergeRule Ties(IReadOnlyList<double> coefficients, double density) => (first, experts) =>
    {
        var deltas = stack([.. experts.Zip(coefficients, (expert, c) => Trim(expert - first, density) * c)], 0); // (n, …)
        var agrees = deltas.sign().eq(deltas.sum(dim: 0).sign()).logical_and(deltas.ne(0)).to(ScalarType.Float32);
        return first + (deltas * agrees).sum(dim: 0) / agrees.sum(dim: 0).clamp_min(1);
    };

    /// <summary>DARE (Yu et al. 2024): entries of a task vector are dropped by chance and the others scaled by 1 / density, which keeps its expectation; then task arithmetic.</summary>
    public static MergeRule Dare(IReadOnlyList<double> coefficients, double density, Generator generator) => (first, experts) =>
        experts.Zip(coefficients, (expert, c) => Drop(expert - first, density, generator) * c).Aggregate(first, (sum, delta) => sum + delta);

    /// <summary>A vector of which a share of the entries is kept by chance, scaled so that its expectation stays.</summary>
    public static Tensor Drop(Tensor delta, double density, Generator generator)
    {
        using var scope = NewDisposeScope();
        return (delta * rand(delta.shape, ScalarType.Float32, generator: generator).lt(density).to(ScalarType.Float32) / density).MoveToOuterDisposeScope();
    }

    private static Tensor Trim(Tensor delta, double density)
    {
        var kept = (long)Math.Ceiling(density * delta.numel());
        var threshold = delta.abs().reshape(-1).topk((int)kept).values.min();
        return delta * delta.abs().ge(threshold).to(ScalarType.Float32);
    }

    private static Tensor Single(IReadOnlyList<Tensor> experts) =>
        experts.Count == 1 ? experts[0] : throw new TemperException($"merge: found {experts.Count} experts, expected one to interpolate to");
}
