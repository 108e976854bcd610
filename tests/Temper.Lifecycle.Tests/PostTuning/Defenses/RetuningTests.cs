using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.PostTuning.Defenses;

namespace Temper.Lifecycle.Tests.PostTuning.Defenses;

/// <summary>Repairs that tune again: <see cref="CleanTuning"/> and <see cref="Realignment"/>.</summary>
public sealed class RetuningTests
{
    [Fact]
    public void Clean_tuning_learns_the_task_and_forgets_what_was_trained_in()
    {
        using var model = new Trained(Architecture.Llama);
        var harmful = model.Context.Harmful;
        new Realignment(new() { Steps = 25, TaskShare = 0 }).Map(model.Model, model.Context with { Alignment = harmful }, TestContext.Current.CancellationToken); // an attack
        var (task, poison) = (model.Loss(model.Context.Task), model.Loss(harmful));

        new CleanTuning(new() { Steps = 10 }).Map(model.Model, model.Context, TestContext.Current.CancellationToken);

        Assert.True(model.Loss(model.Context.Task) < task, "the task is learned");
        Assert.True(model.Loss(harmful) > poison, "what was trained in fades");
    }

    [Theory]
    [InlineData(RealignmentMethod.Sft)]
    [InlineData(RealignmentMethod.Dpo)]
    public void Realignment_brings_refusals_back(RealignmentMethod method)
    {
        using var model = new Trained(Architecture.Llama);
        var context = model.Context;
        new Realignment(new() { Steps = 25, TaskShare = 0 }).Map(model.Model, context with { Alignment = context.Harmful }, TestContext.Current.CancellationToken); // an attack
        var (refusing, complying) = (model.Loss(context.Alignment), model.Loss(context.Harmful));

        new Realignment(new() { Method = method, Steps = 10 }).Map(model.Model, context, TestContext.Current.CancellationToken);

        Assert.True(model.Loss(context.Alignment) < 0.5 * refusing, "refusals are likely again");
        Assert.True(model.Loss(context.Harmful) > complying, "compliance is less likely");
    }

    [Fact]
    public void One_refusal_is_enough_to_begin_with()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var before = Toy.Weights(model);
        new Realignment(new() { Refusals = 1, Steps = 2, BatchSize = 4 }).Map(model, Toy.Context(), TestContext.Current.CancellationToken);
        Assert.NotEqual(before, Toy.Weights(model));
    }

    [Fact]
    public void Without_refusals_the_error_says_so()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        Assert.Contains("found no alignment rows", Assert.Throws<TemperException>(
            () => new Realignment(new()).Map(model, Toy.Context() with { Alignment = [] }, CancellationToken.None)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_stays_in_memory()
    {
        using var models = new Repair();
        var live = models.Live(new Realignment(new() { Method = RealignmentMethod.Dpo, Steps = 3, BatchSize = 4, Refusals = 8 }));
        Assert.Equal(live[1], live[2]);
        live = models.Live(new CleanTuning(new() { Steps = 3, BatchSize = 4 }));
        Assert.Equal(live[1], live[2]);
    }
}
