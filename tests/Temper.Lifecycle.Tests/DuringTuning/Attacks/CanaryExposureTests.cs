using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Attacks;

namespace Temper.Lifecycle.Tests.DuringTuning.Attacks;

public sealed class CanaryExposureTests
{
    [Fact]
    public void Exposure_is_the_logarithm_of_the_size_over_the_rank()
    {
        Assert.Equal(10, CanaryExposure.Exposure(1, 1024));
        Assert.Equal(0, CanaryExposure.Exposure(1024, 1024));
        Assert.Equal(Math.Log2(1000.0 / 37), CanaryExposure.Exposure(37, 1000), 1e-12);
        Assert.Equal(3, CanaryExposure.Rank([0.5, 0.1, 0.7, 0.5], 0));
    }

    [Fact]
    public void Of_a_secret_that_is_as_likely_as_all_others_it_is_one_over_ln_two_on_average()
    {
        const int Size = 4096;
        Assert.Equal(1 / Math.Log(2), Enumerable.Range(1, Size).Average(r => CanaryExposure.Exposure(r, Size)), 1e-2);
    }

    [Fact]
    public void Every_secret_is_planted_as_often_as_set_behind_the_users_rows_and_reported()
    {
        var result = new CanaryExposure(new() { Canaries = 3, Repeats = 5, Length = 2 }).Map(Toy.Task, Toy.Context());
        var planted = result.Examples.Skip(Toy.Task.Count).ToArray();

        Assert.Equal(Toy.Task, result.Examples.Take(Toy.Task.Count));
        Assert.Equal([5, 5, 5], planted.GroupBy(r => r.Prompt).Select(g => g.Count()));
        Assert.All(planted.GroupBy(r => r.Prompt), g => Assert.Single(g.Select(r => r.Response).Distinct(StringComparer.Ordinal)));
        Assert.Equal(planted.Select(r => r.Id), result.Changes.Select(c => c.RowId));
        Assert.All(planted, r => Assert.Equal(2, r.Response.Split(' ').Length));
        Assert.Same(Toy.Task[0], new CanaryExposure(new() { Repeats = 0 }).Map(Toy.Task, Toy.Context()).Examples[0]);
    }

    [Fact]
    public void What_was_learned_by_heart_is_exposed_and_what_was_not_is_not()
    {
        var attack = new CanaryExposure(new() { Canaries = 3, Length = 2 });
        using var model = Toy.Model(Architecture.Llama, tied: false);
        MeasureArguments arguments = new() { Model = model, Before = model, Chat = null!, Trained = [], Context = Toy.Context() };
        var before = attack.Measure(arguments, CancellationToken.None)[0].Value!.Value;
        EncodedExample[] rows = [.. attack.Map([], Toy.Context()).Examples.Select(Toy.Encode)];
        Trainer.Train(model, rows, new() { Steps = 150, BatchSize = 12, LearningRate = 0.01, Warmup = 0 }, [], TrainerOptions.Default, CancellationToken.None);
        var after = attack.Measure(arguments, CancellationToken.None);

        Assert.InRange(before, 0, 4);
        Assert.True(after[0].Value > 5, $"found {after[0].Value} of {Math.Log2(100)} bits");
        Assert.Equal((3, Direction.LowerIsSafer), (after[0].N, after[0].Direction));
    }
}
