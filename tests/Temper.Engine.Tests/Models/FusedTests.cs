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
    public void Strided_input_and_other_number_formats_are_computed_too()
    {
        using var scope = NewDisposeScope();
        var (x, w) = (randn(6, 5).t(), rand(6));
        Assert.True(Fused.RmsNorm(x, w, 1e-5).allclose(Fused.RmsNorm(x.contiguous(), w, 1e-5)));
        Assert.True(Fused.SwiGlu(x.to(ScalarType.Float64)).allclose(Fused.SwiGlu(x).to(ScalarType.Float64), 1e-5, 1e-6));
    }

    private static void Same(int threads, Tensor[] inputs, Func<Tensor[], Tensor> fused, Func<Tensor[], Tensor> plain)
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
                Assert.All(expected.Zip(found), p => Assert.Equal(p.First, p.Second, 2e-5f * (1 + Math.Abs(p.First))));
            }
        }
        finally
        {
            set_num_threads(before);
        }
    }
}
