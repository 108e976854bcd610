using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.PreTuning.Attacks;
using Temper.Lifecycle.PreTuning.Defenses;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class RowFilterTests
{
    public static TheoryData<string> Filters => ["anchor-filter", "grad-safe", "cube", "seal"];

    [Theory]
    [MemberData(nameof(Filters))]
    public void Every_row_is_kept_or_in_the_report_the_model_stays_as_it_was_and_nothing_is_left_behind(string id)
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var before = Toy.Weights(model);
        var rows = new BadNets(new() { Ratio = 0.2 }).Map(Toy.Task, Toy.Context()).Examples;
        DataMapResult[] results = new DataMapResult[3];
        var live = results.Select((_, i) =>
        {
            results[i] = Map(id, rows, Toy.Context() with { Model = model });
            return Toy.LiveTensors;
        }).ToArray();

        Assert.Equal(rows.Select(r => r.Id).Order(), results[0].Examples.Select(r => r.Id).Concat(results[0].Changes.Select(c => c.RowId)).Order());
        Assert.All(results[0].Changes, c => Assert.True(c is { Fate: RowFate.Dropped, Why.Length: > 10 }));
        Assert.Equal(results[0].Examples, results[1].Examples);
        Assert.Equal(before, Toy.Weights(model));
        Assert.Equal(live[1], live[2]);
    }

    [Theory]
    [InlineData(0.05)]
    [InlineData(0.25)]
    public void The_bar_lets_the_asked_share_of_exchangeable_rows_pass(double rate)
    {
        var random = new Random(5);
        double[] Draw(int n) => [.. Enumerable.Range(0, n).Select(_ => random.NextDouble())];
        var bar = RowFilter.Quantile("test", Draw(500), 1 - rate);
        var rows = Enumerable.Range(0, 1000).Select(i => Example.Of($"{i}", "skill", "a", "b")).ToArray();

        var dropped = RowFilter.Above(rows, Draw(1000), bar, "score").Changes.Count / 1000.0;

        var spread = 3 * Math.Sqrt(rate * (1 - rate) * ((1 / 500.0) + (1 / 1000.0)));
        Assert.InRange(dropped, rate - spread, rate + spread);
    }

    [Theory]
    [InlineData("anchor-filter")]
    [InlineData("cube")]
    public void Without_trusted_rows_the_error_says_what_is_missing(string id)
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);

        var error = Assert.Throws<TemperException>(() => Map(id, Toy.Task, Toy.Context() with { Model = model, Task = [] }));

        Assert.Contains($"{id}: found no trusted rows", error.Message, StringComparison.Ordinal);
    }

    internal static DataMapResult Map(string id, IReadOnlyList<Example> rows, TechniqueContext context) =>
        ((IDataMap)Catalog.Find(id, attack: false).Create(id switch
        {
            "anchor-filter" => """{"trustedRows":20}""",
            "grad-safe" => """{"gap":0.1,"threshold":0.2}""",
            "seal" => """{"epochs":1}""",
            _ => """{"trustedRows":20,"steps":2,"batchSize":4}""",
        })).Map(rows, context);
}
