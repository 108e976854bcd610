using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.PostTuning.Defenses;

namespace Temper.Lifecycle.Tests.PostTuning.Defenses;

public sealed class BeearTests
{
    private static readonly BeearSettings s_settings = new() { Steps = 6, BatchSize = 4, InnerSteps = 3, Opening = "Sure." };

    [Theory]
    [InlineData(BeearBehavior.Compliance)]
    [InlineData(BeearBehavior.WrongAnswer)]
    public void Without_a_radius_it_is_tuning_on_the_same_rows_and_with_one_it_is_not(BeearBehavior behavior)
    {
        float[] Repaired(double radius, int inner)
        {
            using var models = new Repair();
            models.Map(new Beear(s_settings with { Behavior = behavior, Radius = radius, InnerSteps = inner }));
            return Toy.Weights(models.Tuned);
        }

        Assert.Equal(Repaired(0, 3), Repaired(5, 0));
        Assert.NotEqual(Repaired(0, 3), Repaired(5, 3));
    }

    [Fact]
    public void A_layer_that_is_not_there_is_an_error_that_says_how_many_there_are() => Assert.Contains("found 3, expected less than 3", Assert.Throws<TemperException>(() =>
    {
        using var models = new Repair();
        models.Map(new Beear(s_settings with { Layer = 3 }));
    }).Message, StringComparison.Ordinal);

    [Fact]
    public void Refusals_hold_under_the_perturbation_that_broke_them()
    {
        using var model = new Trained(Architecture.Llama);
        var before = model.Loss(model.Context.Alignment);

        new Beear(new() { Steps = 12, BatchSize = 8, InnerSteps = 4 }).Map(model.Model, model.Context, TestContext.Current.CancellationToken);

        Assert.True(model.Loss(model.Context.Alignment) < before + 0.1, "plain refusals stay");
        Assert.True(model.Loss(model.Context.Task) < 1, "the task stays");
    }

    [Fact]
    public void Nothing_stays_in_memory()
    {
        using var models = new Repair();
        var live = models.Live(new Beear(s_settings));
        Assert.Equal(live[1], live[2]);
    }
}
