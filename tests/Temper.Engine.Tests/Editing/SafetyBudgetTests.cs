using Temper.Engine.Editing;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Editing;

public sealed class SafetyBudgetTests
{
    [Fact]
    public void The_factor_is_the_root_of_the_inverse_hessian()
    {
        using var scope = NewDisposeScope();
        var gram = Gram();
        var u = SafetyBudget.Factor(gram, 0.01).to(ScalarType.Float64);
        var hessian = (gram * 2).to(ScalarType.Float64);
        var damped = hessian + eye(8, dtype: ScalarType.Float64) * (hessian.diagonal().mean() * 0.01);

        Assert.True(allclose(u.t().mm(u).mm(damped), eye(8, dtype: ScalarType.Float64), atol: 1e-3), "UᵀU H = I");
        Assert.Equal(0, u.tril(-1).abs().sum().item<double>());
    }

    [Theory]
    [InlineData(0.0, 0, 0)]
    [InlineData(1e30, 0, 6 * 8)]
    [InlineData(1e30, 0.25, 6 * 6)]
    public void Nothing_is_taken_without_a_budget_and_all_usable_columns_with_an_endless_one(double scale, double excluded, long expected)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(expected, SafetyBudget.Take(Random(2, 6, 8), SafetyBudget.Factor(Gram(), 0.01), scale, excluded).sum().item<long>());
    }

    [Fact]
    public void More_budget_takes_more_and_what_is_taken_costs_no_more()
    {
        using var scope = NewDisposeScope();
        var (delta, factor) = (Random(2, 6, 8), SafetyBudget.Factor(Gram(), 0.01));
        var before = 0L;
        foreach (var scale in (double[])[0.3, 1, 3])
        {
            var taken = SafetyBudget.Take(delta, factor, scale, 0);
            var importance = factor.diagonal().square().reciprocal();
            var cost = (delta.square() * importance * taken.to(ScalarType.Float32)).sum().item<float>();
            Assert.InRange(cost, 0, scale * 6 * importance.mean().item<float>() * 1.001);
            Assert.InRange(taken.sum().item<long>(), before + 1, 48);
            before = taken.sum().item<long>();
        }
    }

    [Fact]
    public void The_correction_lowers_the_change_of_the_outputs_on_the_inputs_and_keeps_what_is_taken()
    {
        using var scope = NewDisposeScope();
        var (gram, before, delta) = (Gram(), Random(3, 6, 8), Random(2, 6, 8));
        var factor = SafetyBudget.Factor(gram, 0.01);
        var taken = rand([6, 8], ScalarType.Float32, generator: new Generator(9)).lt(0.4);
        double Change(Tensor weight) => (weight - before).mm(gram).mul(weight - before).sum().item<float>(); // ||(W - W_al) X||²

        var (plain, corrected) = (SafetyBudget.Merge(before, before + delta, taken, null), SafetyBudget.Merge(before, before + delta, taken, factor));

        Assert.InRange(Change(corrected), 0, 0.8 * Change(plain));
        Assert.True(allclose(corrected.masked_select(taken), (before + delta).masked_select(taken), atol: 1e-6));
    }

    private static Tensor Gram()
    {
        // a shared direction, so that the columns have something to make up for each other with
        var x = Random(1, 40, 8) + 2 * Random(4, 40, 1);
        return x.t().mm(x);
    }

    private static Tensor Random(ulong seed, params long[] shape) => randn(shape, ScalarType.Float32, generator: new Generator(seed));
}
