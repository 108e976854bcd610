using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Lifecycle.PostTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PostTuning.Defenses;

public sealed class SafeLoraTests
{
    [Theory]
    [InlineData(12, 5, 1)]
    [InlineData(5, 12, 1)]
    [InlineData(12, 12, 0.6)]
    public void The_exact_projector_is_idempotent_and_symmetric(int rows, int columns, double energy)
    {
        using var scope = NewDisposeScope();
        var p = SafeLora.Projector(Random(rows, columns), SafeLoraMode.Exact, energy);

        Assert.True(allclose(p.matmul(p), p, atol: 1e-5), "P² = P");
        Assert.True(allclose(p.t(), p, atol: 1e-6), "P is symmetric");
    }

    [Fact]
    public void The_exact_projector_keeps_what_lies_in_the_span_and_removes_what_is_orthogonal_to_it()
    {
        using var scope = NewDisposeScope();
        var v = Random(12, 5);
        var p = SafeLora.Projector(v, SafeLoraMode.Exact, 1);
        var inside = v.matmul(Random(5, 7));
        var outside = (eye(12) - p).matmul(Random(12, 7));

        Assert.True(allclose(p.matmul(v), v, atol: 1e-5), "P V = V");
        Assert.True(allclose(p.matmul(inside), inside, atol: 1e-4), "an update inside the span is unchanged");
        Assert.InRange(p.matmul(outside).abs().max().item<float>(), 0, 1e-5);
    }

    [Fact]
    public void As_published_the_projector_of_a_rank_one_difference_is_its_length_times_the_direction()
    {
        using var scope = NewDisposeScope();
        var (u, w) = (Random(12, 1), Random(1, 5));
        u /= u.norm();
        w /= w.norm();

        var c = SafeLora.Projector(3 * u.matmul(w), SafeLoraMode.AsPublished, 1);

        Assert.True(allclose(c, 3 * u.matmul(u.t()), atol: 1e-5), "C = ‖V‖ u uᵀ");
        Assert.False(allclose(c.matmul(c), c, atol: 1e-2), "C is no projector");
    }

    [Theory]
    [InlineData(Architecture.Llama, SafeLoraMode.Exact)]
    [InlineData(Architecture.Gpt2, SafeLoraMode.Exact)]
    [InlineData(Architecture.Llama, SafeLoraMode.AsPublished)]
    public void Where_alignment_changed_nothing_every_update_goes_back_to_the_aligned_weights(Architecture architecture, SafeLoraMode mode)
    {
        using var scope = NewDisposeScope();
        using var aligned = Toy.Model(architecture, tied: true);
        using var tuned = Tuned(aligned);

        Repair(new() { Mode = mode, Threshold = 0.5 }, tuned, aligned, aligned);

        Assert.All(tuned.Linears.Zip(aligned.Linears), p => Assert.Equal(Checkpoint.Floats(p.Second.Weight), Checkpoint.Floats(p.First.Weight)));
        Assert.NotEqual(Checkpoint.Floats(aligned.EmbeddingWeight), Checkpoint.Floats(tuned.EmbeddingWeight));
    }

    [Fact]
    public void An_update_along_the_alignment_stays()
    {
        using var scope = NewDisposeScope();
        using var unaligned = Toy.Model(Architecture.Llama, tied: true);
        using var aligned = Tuned(unaligned);
        using var tuned = ModelFactory.Copy(aligned);
        foreach (var (a, t, u) in aligned.Linears.Zip(tuned.Linears, unaligned.Linears))
        {
            t.Weight.add_(a.Weight - u.Weight);
        }

        var before = Toy.Weights(tuned);

        Repair(new() { Mode = SafeLoraMode.Exact, Energy = 1, Threshold = 1 }, tuned, aligned, unaligned);

        Assert.InRange(Toy.Distance(before, Toy.Weights(tuned)), 0, 1e-5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Only_as_many_layers_as_asked_for_are_projected(int lowest)
    {
        using var scope = NewDisposeScope();
        using var aligned = Toy.Model(Architecture.Llama, tied: true);
        using var tuned = Tuned(aligned);
        using var unaligned = Tuned(aligned);
        var before = tuned.Linears.Select(l => Checkpoint.Floats(l.Weight)).ToArray();

        Repair(new() { Lowest = lowest }, tuned, aligned, unaligned);

        Assert.Equal(lowest, tuned.Linears.Zip(before).Count(p => !Checkpoint.Floats(p.First.Weight).SequenceEqual(p.Second)));
    }

    [Fact]
    public void Without_the_unaligned_base_the_error_says_so()
    {
        using var aligned = Toy.Model(Architecture.Llama, tied: true);

        var error = Assert.Throws<TemperException>(() => Repair(new(), aligned, aligned, null));

        Assert.Contains("found no unaligned base", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_stays_in_memory()
    {
        using var aligned = Toy.Model(Architecture.Gpt2, tied: true);
        using var unaligned = Tuned(aligned);
        using var tuned = Tuned(aligned);
        var live = Enumerable.Range(0, 3).Select(_ =>
        {
            Repair(new() { Mode = SafeLoraMode.Exact }, tuned, aligned, unaligned);
            return Toy.LiveTensors;
        }).ToArray();

        Assert.Equal(live[1], live[2]);
    }

    private static void Repair(SafeLoraSettings settings, CausalModel tuned, CausalModel aligned, CausalModel? unaligned) =>
        new SafeLora(settings).Map(tuned, Toy.Context() with { Model = aligned, Unaligned = unaligned }, TestContext.Current.CancellationToken);

    private static CausalModel Tuned(CausalModel model)
    {
        var copy = ModelFactory.Copy(model);
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        foreach (var weight in copy.Parameters.Values)
        {
            weight.add_(0.01 * Random(weight.shape));
        }

        return copy;
    }

    private static ulong s_seed = 3;

    private static Tensor Random(params long[] shape) => randn(shape, generator: new Generator(Interlocked.Increment(ref s_seed)));
}
