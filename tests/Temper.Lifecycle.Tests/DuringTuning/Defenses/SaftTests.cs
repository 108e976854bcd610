using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.DuringTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class SaftTests : IDisposable
{
    private readonly CausalModel _model = Toy.Model(Architecture.Llama, tied: false);

    [Fact]
    public void A_planted_direction_is_the_top_one()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var planted = zeros(1, 10);
        planted[0, 4] = 1;
        var h = randn([60, 10], ScalarType.Float32, generator: generator) * 0.1;
        h = h + cat([ones(6, 1), zeros(54, 1)], 0).mm(planted) * 5;
        var v = Saft.Directions(h - h.mean([0], keepdim: true), 1);
        Assert.InRange(Math.Abs(v[0, 4].item<float>()), 0.99, 1.01);
    }

    [Fact]
    public void Rows_unlike_the_trusted_ones_are_dropped_and_told()
    {
        Example[] rows = [.. Toy.Task.Take(60), .. Toy.Harmful.Take(10)];
        var result = new Saft(new() { FalsePositives = 0.05 }).Map(rows, Context());

        var dropped = result.Changes.Select(c => c.RowId).ToArray();
        Assert.True(dropped.Count(id => id.StartsWith("harmful-", StringComparison.Ordinal)) >= 8, $"found {string.Join(", ", dropped)}");
        Assert.True(dropped.Count(id => id.StartsWith("task-", StringComparison.Ordinal)) <= 8, $"found {string.Join(", ", dropped)}");
        Assert.Equal(rows.Select(r => r.Id).Except(dropped), result.Examples.Select(r => r.Id));
        Assert.All(result.Changes, c => Assert.Equal(RowFate.Dropped, c.Fate));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.1)]
    public void The_bar_lets_the_requested_share_of_trusted_rows_pass(double rate)
    {
        // rows that are the trusted ones: what is dropped is the false positives
        var result = new Saft(new() { FalsePositives = rate }).Map(Toy.Task, Context());
        Assert.InRange(result.Changes.Count, 0, (int)Math.Ceiling(rate * Toy.Task.Count));
    }

    [Fact]
    public void Without_trusted_rows_there_is_no_bar_and_the_error_says_so() => Assert.Contains(
        "0 trusted", Assert.Throws<TemperException>(() => new Saft(new()).Map(Toy.Task, Context() with { Task = [] })).Message, StringComparison.Ordinal);

    [Fact]
    public void Nothing_is_left_behind()
    {
        new Saft(new() { State = SaftState.Answer }).Map(Toy.Task, Context());
        var after = Toy.LiveTensors;
        new Saft(new()).Map(Toy.Task, Context());
        new Saft(new() { Random = true }).Map(Toy.Task, Context());
        Assert.Equal(after, Toy.LiveTensors);
    }

    public void Dispose() => _model.Dispose();

    private TechniqueContext Context() => Toy.Context() with { Model = _model };
}
