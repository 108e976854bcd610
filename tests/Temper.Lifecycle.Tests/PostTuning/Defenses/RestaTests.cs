using Temper.Engine.Models;
using Temper.Lifecycle.PostTuning.Defenses;

namespace Temper.Lifecycle.Tests.PostTuning.Defenses;

public sealed class RestaTests
{
    [Theory]
    [InlineData(RestaVector.Safety)]
    [InlineData(RestaVector.Random)]
    public void With_gamma_zero_and_nothing_dropped_nothing_changes(RestaVector vector)
    {
        using var models = new Repair();
        var before = Toy.Weights(models.Tuned);

        models.Map(new Resta(new() { Gamma = 0, Vector = vector }));

        Assert.Equal(before, Toy.Weights(models.Tuned));
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void The_safety_vector_is_added_as_it_is(Architecture architecture)
    {
        using var models = new Repair(architecture);
        var expected = Toy.Weights(models.Tuned).Zip(Toy.Weights(models.Aligned).Zip(Toy.Weights(models.Unaligned), (a, u) => a - u), (t, v) => t + (0.5f * v)).ToArray();

        models.Map(new Resta(new() { Gamma = 0.5 }));

        Assert.InRange(Toy.Distance(expected, Toy.Weights(models.Tuned)), 0, 1e-6);
    }

    [Fact]
    public void The_random_control_is_as_long_as_the_safety_vector_and_points_elsewhere()
    {
        double[] Added(RestaVector vector)
        {
            using var models = new Repair();
            var before = Toy.Weights(models.Tuned);
            models.Map(new Resta(new() { Gamma = 1, Vector = vector }));
            return [.. Toy.Weights(models.Tuned).Zip(before, (a, b) => (double)(a - b))];
        }

        var (safety, random) = (Added(RestaVector.Safety), Added(RestaVector.Random));
        double Norm(double[] v) => Math.Sqrt(v.Sum(x => x * x));

        Assert.Equal(Norm(safety), Norm(random), 1e-3 * Norm(safety));
        Assert.InRange(safety.Zip(random, (a, b) => a * b).Sum() / Norm(safety) / Norm(random), -0.1, 0.1);
    }

    [Fact]
    public void Dropping_keeps_what_tuning_added_in_expectation()
    {
        using var models = new Repair();
        var (aligned, tuned) = (Toy.Weights(models.Aligned), Toy.Weights(models.Tuned));

        models.Map(new Resta(new() { Gamma = 0, DropRate = 0.5 }));

        var kept = Toy.Weights(models.Tuned).Zip(aligned, (a, b) => a - b).ToArray();
        var whole = tuned.Zip(aligned, (a, b) => a - b).ToArray();
        Assert.InRange(kept.Count(k => Math.Abs(k) < 1e-7) / (double)kept.Length, 0.45, 0.55);
        Assert.Equal(1, kept.Zip(whole, (k, w) => (double)k * w).Sum() / whole.Sum(w => (double)w * w), 0.05);
    }

    [Fact]
    public void Nothing_stays_in_memory()
    {
        using var models = new Repair();
        var live = models.Live(new Resta(new() { DropRate = 0.3 }));
        Assert.Equal(live[1], live[2]);
    }
}
