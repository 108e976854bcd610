using Temper.Core;
using Temper.Lifecycle.PreTuning.Defenses;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class TargetedLatTests
{
    [Fact]
    public void Away_is_nothing_for_unlikely_tokens_and_finite_for_certain_ones()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(0, TargetedLat.AwayFrom(tensor(new[] { -50f, -50f })).item<float>(), 1e-5f);
        Assert.Equal(Math.Log(2), TargetedLat.AwayFrom(tensor(new[] { (float)Math.Log(0.5) })).item<float>(), 1e-5);
        Assert.InRange(TargetedLat.AwayFrom(tensor(new[] { 0f })).item<float>(), 10, 20);
    }

    [Fact]
    public void The_adversary_changes_what_is_learned_and_epsilon_zero_does_not_depend_on_its_steps()
    {
        var settings = new TargetedLatSettings { Steps = 3, BatchSize = 4, LearningRate = 0.01, AdversarySteps = 2 };
        var none = Immunized.Weights(new TargetedLat(settings with { Epsilon = 0 }));

        Assert.Equal(none, Immunized.Weights(new TargetedLat(settings with { Epsilon = 0, AdversarySteps = 9 })));
        Assert.True(Toy.Distance(none, Immunized.Weights(new TargetedLat(settings with { Epsilon = 2 }))) > 1e-4);
    }

    [Fact]
    public void More_positions_than_a_prompt_has_are_an_error_that_names_the_row()
    {
        var context = Toy.Context() with { Harmful = [Example.Of("short", "forbidden", "a", "yes")] };

        Assert.Contains("row short", Assert.Throws<TemperException>(() => Immunized.Weights(new TargetedLat(new()), context)).Message, StringComparison.Ordinal);
    }
}
