using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Models;

/// <summary>The fused operators beside what they stand for, in values and gradients.</summary>
public sealed class FusedTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void RmsNorm_is_the_primitives_with_their_gradients(int threads)
    {
        using var scope = NewDisposeScope();
        var weight = rand(24) + 0.5f;
        Same(threads, [randn(40, 15, 24), weight], v => Fused.RmsNorm(v[0], v[1], 1e-5), v => v[0] * (v[0] * v[0]).mean([-1], true).add(1e-5).rsqrt() * v[1]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void SwiGlu_is_the_primitives_with_their_gradients(int threads)
    {
        using var scope = NewDisposeScope();
        Same(threads, [randn(40, 15, 34) * 4], v => Fused.SwiGlu(v[0]), v => nn.functional.silu(v[0].narrow(-1, 0, 17)) * v[0].narrow(-1, 17, 17));
    }

    [Fact]
    public void SwiGlu_of_bf16_is_that_of_fp32_rounded_in_both_directions()
    {
        using var scope = NewDisposeScope();
        using var recording = enable_grad();
        var x = (randn(40, 15, 70) * 4).to(ScalarType.BFloat16).requires_grad_(true);
        var wide = x.detach().to(ScalarType.Float32).requires_grad_(true);
        var weights = randn(40, 15, 35).to(ScalarType.BFloat16);
        var (y, expected) = (Fused.SwiGlu(x), Fused.SwiGlu(wide));
        (y * weights).sum().backward();
        (expected * weights).sum().backward();

        Assert.Equal(ScalarType.BFloat16, y.dtype);
        Assert.True(y.equal(expected.to(ScalarType.BFloat16)).all().item<bool>());
        Assert.True(x.grad!.equal(wide.grad!.to(ScalarType.BFloat16)).all().item<bool>());
    }

    [Fact]
    public void What_is_no_number_stays_none_in_bf16()
    {
        using var scope = NewDisposeScope();
        var x = full([2, 40], float.NaN, ScalarType.BFloat16);
        Assert.True(Fused.SwiGlu(x).isnan().all().item<bool>());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_large_matrix_product_is_the_plain_one_with_its_gradients(bool bias)
    {
        using var scope = NewDisposeScope();
        Tensor[] inputs = [randn(8, 64, 256) / 16, randn(512, 256), .. bias ? [randn(512)] : Array.Empty<Tensor>()]; // above what pays
        Same(1, inputs, v => MatrixProduct.Of(v[0], v[1], bias ? v[2] : null), v => nn.functional.linear(v[0], v[1], bias ? v[2] : null), 1e-4f);
    }

    [Fact]
    public void A_matrix_product_gives_no_gradient_to_what_is_frozen()
    {
        using var scope = NewDisposeScope();
        using var recording = enable_grad();
        Tensor x = randn(512, 256).requires_grad_(true), frozen = randn(512, 256);
        MatrixProduct.Of(x, frozen).sum().backward();
        Assert.True(x.grad!.allclose(frozen.sum([0L]).expand(512, 256), 1e-4, 1e-4));
        Assert.Null(frozen.grad);
    }

    [Fact]
    public void Strided_input_and_other_number_formats_are_computed_too()
    {
        using var scope = NewDisposeScope();
        var (x, w) = (randn(6, 5).t(), rand(6));
        Assert.True(Fused.RmsNorm(x, w, 1e-5).allclose(Fused.RmsNorm(x.contiguous(), w, 1e-5)));
        Assert.True(Fused.SwiGlu(x.to(ScalarType.Float64)).allclose(Fused.SwiGlu(x).to(ScalarType.Float64), 1e-5, 1e-6));
    }

    private static void Same(int threads, Tensor[] inputs, Func<Tensor[], Tensor> fused, Func<Tensor[], Tensor> plain, float tolerance = 2e-5f)
    {
        var before = get_num_threads();
        set_num_threads(threads);
        try
        {
            using var recording = enable_grad();
            var weights = randn_like(plain(inputs)); // a gradient that differs at every place
            float[][] Run(Func<Tensor[], Tensor> f)
            {
                Tensor[] leaves = [.. inputs.Select(i => i.detach().clone().requires_grad_(true))];
                var y = f(leaves);
                (y * weights).sum().backward();
                return [Checkpoint.Floats(y.detach()), .. leaves.Select(l => Checkpoint.Floats(l.grad!))];
            }

            foreach (var (expected, found) in Run(plain).Zip(Run(fused)))
            {
                Assert.Equal(expected.Length, found.Length);
                Assert.All(expected.Zip(found), p => Assert.Equal(p.First, p.Second, tolerance * (1 + Math.Abs(p.First))));
            }
        }
        finally
        {
            set_num_threads(before);
        }
    }
}
