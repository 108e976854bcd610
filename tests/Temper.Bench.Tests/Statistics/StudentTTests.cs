using Temper.Bench.Statistics;

namespace Temper.Bench.Tests.Statistics;

public sealed class StudentTTests
{
    // critical values of the tables of Fisher and Yates
    [Theory]
    [InlineData(0.05, 1, 12.7062)]
    [InlineData(0.05, 2, 4.30265)]
    [InlineData(0.05, 10, 2.22814)]
    [InlineData(0.01, 30, 2.75000)]
    [InlineData(0.05, 1e6, 1.95997)]
    public void Critical_values_are_those_of_the_tables(double p, double degrees, double expected) => Assert.InRange(StudentT.Critical(p, degrees), expected - 1e-4, expected + 1e-4);

    [Fact]
    public void With_one_degree_of_freedom_it_is_Cauchys_distribution()
    {
        foreach (var t in (double[])[0, 0.1, 1, 5, 1000])
        {
            Assert.Equal(1 - (2 / Math.PI * Math.Atan(t)), StudentT.TwoSided(t, 1), 10);
        }
    }

    [Fact]
    public void With_two_degrees_of_freedom_it_has_a_closed_form_and_both_sides_are_the_same()
    {
        Assert.Equal(1 - (3 / Math.Sqrt(11)), StudentT.TwoSided(3, 2), 12);
        Assert.Equal(StudentT.TwoSided(3, 2), StudentT.TwoSided(-3, 2), 15);
    }

    [Fact]
    public void The_beta_function_of_whole_numbers_is_a_binomial_sum() =>
        Assert.Equal(Enumerable.Range(2, 4).Sum(j => new[] { 1, 5, 10, 10, 5, 1 }[j] * Math.Pow(0.36, j) * Math.Pow(0.64, 5 - j)), StudentT.Beta(2, 4, 0.36), 12);
}
