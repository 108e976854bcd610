using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.PreTuning.Defenses;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class LoxTests
{
    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void In_full_rank_every_linear_weight_becomes_twice_the_aligned_less_the_base_and_nothing_else_moves(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(architecture, tied: true);
        using var aligned = Shifted(model);
        using var result = ModelFactory.Copy(aligned);

        new Lox(new() { Rank = 0 }).Map(result, Toy.Context() with { Unaligned = model }, TestContext.Current.CancellationToken);

        var linear = result.Linears.Select(l => $"{l.Name}.weight").ToHashSet(StringComparer.Ordinal);
        foreach (var (name, weight) in result.Parameters)
        {
            var expected = linear.Contains(name) ? (aligned.Parameters[name] * 2) - model.Parameters[name] : aligned.Parameters[name];
            Assert.InRange((weight - expected).abs().max().item<float>(), 0, 1e-6f);
        }
    }

    [Fact]
    public void Of_rank_k_it_adds_the_best_approximation_of_that_rank()
    {
        using var scope = NewDisposeScope();
        var matrix = randn(9, 6, generator: new TorchSharp.torch.Generator(3));
        var (_, s, _) = linalg.svd(matrix);

        var top = Lox.Top(matrix, 2);

        Assert.Equal(2, linalg.matrix_rank(top).item<long>());
        // Eckart and Young: what is left has the norm of the other singular values
        Assert.Equal(s.narrow(0, 2, 4).norm().item<float>(), (matrix - top).norm().item<float>(), 1e-4);
        Assert.Equal(0, (matrix - Lox.Top(matrix, 6)).abs().max().item<float>());
    }

    [Fact]
    public void A_coefficient_of_zero_changes_nothing_and_one_of_minus_one_takes_alignment_back()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Llama, tied: true);
        using var aligned = Shifted(model);
        using var back = ModelFactory.Copy(aligned);
        var before = Toy.Weights(aligned);
        var context = Toy.Context() with { Unaligned = model };

        new Lox(new() { Coefficient = 0 }).Map(aligned, context, TestContext.Current.CancellationToken);
        new Lox(new() { Coefficient = -1, Rank = 0 }).Map(back, context, TestContext.Current.CancellationToken);

        Assert.Equal(before, Toy.Weights(aligned));
        Assert.All(back.Linears.Zip(model.Linears), p => Assert.InRange((p.First.Weight - p.Second.Weight).abs().max().item<float>(), 0, 1e-6f));
    }

    [Fact]
    public void Without_the_base_the_error_says_what_is_missing()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);

        Assert.Contains("found no unaligned base", Assert.Throws<TemperException>(() => new Lox(new()).Map(model, Toy.Context(), TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    private static CausalModel Shifted(CausalModel model)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var aligned = ModelFactory.Copy(model);
        ulong seed = 7;
        foreach (var weight in aligned.Parameters.Values)
        {
            weight.add_(randn(weight.shape, generator: new TorchSharp.torch.Generator(seed++)) * 0.1);
        }

        return aligned;
    }
}
