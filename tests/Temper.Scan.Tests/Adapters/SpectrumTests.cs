using Temper.Scan.Adapters;

namespace Temper.Scan.Tests.Adapters;

public sealed class SpectrumTests
{
    [Fact]
    public void Singular_values_of_a_product_are_those_of_the_formed_matrix()
    {
        // B = [[3,0],[0,1],[0,0]], A = [[0,2,0],[1,0,0]]: B·A has the singular values 6 and 1.
        var values = Spectrum.SingularValues([0, 2, 0, 1, 0, 0], [3, 0, 0, 1, 0, 0], 2);

        Assert.Equal(6, values[0], 1e-9);
        Assert.Equal(1, values[1], 1e-9);
    }

    [Fact]
    public void The_norm_of_random_factors_is_that_of_their_product()
    {
        var random = new Random(5);
        const int rank = 4, rows = 7, columns = 9;
        var a = Enumerable.Range(0, rank * columns).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
        var b = Enumerable.Range(0, rows * rank).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
        var sum = 0.0;
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
            {
                var entry = Enumerable.Range(0, rank).Sum(k => (double)b[(i * rank) + k] * a[(k * columns) + j]);
                sum += entry * entry;
            }
        }

        var spectrum = Spectrum.Of(a, b, rank, 2);

        Assert.NotNull(spectrum);
        Assert.Equal(2 * Math.Sqrt(sum), spectrum.Frobenius, 1e-6);
        Assert.InRange(spectrum.EnergyShare, 0.25, 1);
        Assert.InRange(spectrum.Entropy, 0, 1);
    }
}
