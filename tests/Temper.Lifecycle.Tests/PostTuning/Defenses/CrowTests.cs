using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PostTuning.Defenses;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PostTuning.Defenses;

public sealed class CrowTests
{
    private static readonly CrowSettings s_settings = new() { Steps = 8, BatchSize = 4 };

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 0)]
    [InlineData(-1, 2)]
    public void Equal_states_agree_in_full_and_opposite_ones_not_at_all(double factor, double expected)
    {
        using var scope = NewDisposeScope();
        var h = randn(2, 5, 16, generator: new Generator(1));

        Assert.Equal(expected, Crow.Disagreement(h, factor * h, ones(2, 5)).item<float>(), 1e-5);
    }

    [Fact]
    public void Padding_has_no_part()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var (lone, longer) = (Toy.Encode(Toy.Task[0]), Toy.Encode(Example.Of("long", "skill", "count the words of a much longer row", "five")));
        using var padded = Batch.Of([lone, longer]);
        using var one = Batch.Of([lone]);
        using var other = Batch.Of([longer]);

        double Value(Batch batch) => Crow.Consistency(model, batch, zeros(batch.Ids.shape[0], batch.Ids.shape[1], 16), Precision.Float32).item<float>();

        var expected = ((Value(one) * lone.Ids.Length) + (Value(other) * longer.Ids.Length)) / (lone.Ids.Length + longer.Ids.Length);
        Assert.Equal(expected, Value(padded), 1e-5);
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void The_perturbation_raises_the_loss_as_its_gradient_says(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(architecture, tied: true);
        using var batch = Batch.Of([Toy.Encode(Toy.Task[0]), Toy.Encode(Toy.Task[10])]);
        var nothing = zeros(2, batch.Ids.shape[1], 16);
        const double Epsilon = 1e-4;
        var gradient = Gradients.Of(() => Crow.Consistency(model, batch, nothing, Precision.Float32), [nothing])[0];

        var rise = Crow.Consistency(model, batch, Crow.Perturbation(model, batch, Epsilon, Precision.Float32), Precision.Float32) - Crow.Consistency(model, batch, nothing, Precision.Float32);

        var expected = Epsilon * gradient.abs().sum().item<float>();
        Assert.InRange(rise.item<float>(), 0.8 * expected, 1.2 * expected);
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void The_layers_agree_more_than_after_plain_tuning(Architecture architecture)
    {
        double Tuned(double alpha)
        {
            using var scope = NewDisposeScope();
            using var model = Toy.Model(architecture, tied: true);
            new Crow(s_settings with { Steps = 30, Alpha = alpha }).Map(model, Toy.Context(), TestContext.Current.CancellationToken);
            using var batch = Batch.Of([.. Toy.Task.Take(8).Select(Toy.Encode)]);
            return Crow.Consistency(model, batch, zeros(8, batch.Ids.shape[1], 16), Precision.Float32).item<float>();
        }

        var (plain, crow) = (Tuned(0), Tuned(5.5));

        Assert.True(crow < 0.9 * plain, $"found a disagreement of {crow}, expected less than {plain}");
    }

    [Fact]
    public void With_alpha_zero_it_is_plain_tuning_on_the_clean_rows()
    {
        using var repaired = Toy.Model(Architecture.Llama, tied: true);
        using var tuned = Toy.Model(Architecture.Llama, tied: true);

        new Crow(s_settings with { Alpha = 0 }).Map(repaired, Toy.Context(), TestContext.Current.CancellationToken);
        Trainer.Train(
            tuned, [.. Toy.Task.Select(Toy.Encode)], new() { Steps = 8, BatchSize = 4, LearningRate = 1e-3, Seed = (ulong)Toy.Context().Random.Next() }, [],
            TrainerOptions.Default, TestContext.Current.CancellationToken);

        Assert.Equal(Toy.Weights(tuned), Toy.Weights(repaired));
    }

    [Fact]
    public void Nothing_stays_in_memory()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var live = Enumerable.Range(0, 3).Select(_ =>
        {
            new Crow(s_settings with { Refusals = 0.1 }).Map(model, Toy.Context(), TestContext.Current.CancellationToken);
            return Toy.LiveTensors;
        }).ToArray();

        Assert.Equal(live[1], live[2]);
    }
}
