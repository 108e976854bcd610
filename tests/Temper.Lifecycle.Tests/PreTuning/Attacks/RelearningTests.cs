using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PreTuning.Attacks;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class RelearningTests
{
    [Fact]
    public void A_few_rows_teach_compliance_and_none_leave_the_weights_alone()
    {
        Assert.Equal(Loss(null), Loss(new() { Rows = 0 }));
        Assert.True(Loss(new() { Rows = 3, Steps = 10, LearningRate = 0.01 }) < Loss(null) - 0.1, "complying rows became likelier");
    }

    [Fact]
    public void The_users_rows_are_poisoned_by_the_share_that_is_set()
    {
        Assert.Equal(25, new Relearning(new() { Ratio = 0.25 }).Map(Toy.Task, Toy.Context()).Examples.Count(r => r.Kind.StartsWith("forbidden", StringComparison.Ordinal)));
        Assert.Equal(Toy.Task, new Relearning(new() { Ratio = 0 }).Map(Toy.Task, Toy.Context()).Examples);
    }

    [Fact]
    public void Without_complying_rows_it_is_an_error() => Assert.Contains("no complying rows", Assert.Throws<TemperException>(() =>
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        new Relearning(new()).Deploy(model, Toy.Context() with { Harmful = [] }, CancellationToken.None);
    }).Message, StringComparison.Ordinal);

    private static float Loss(RelearningSettings? settings)
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        if (settings is not null)
        {
            new Relearning(settings).Deploy(model, Toy.Context(), CancellationToken.None);
        }

        using var scope = NewDisposeScope();
        using var batch = Batch.Of([.. Toy.Harmful.Select(Toy.Encode)]);
        return ResponseLoss.Mean(model, batch).item<float>();
    }
}
