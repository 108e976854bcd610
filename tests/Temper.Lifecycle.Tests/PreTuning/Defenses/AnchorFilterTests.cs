using Temper.Engine.Models;
using Temper.Lifecycle.Organisms;
using Temper.Lifecycle.PreTuning.Defenses;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class AnchorFilterTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Complying_rows_score_above_those_of_the_task_by_gradients_and_by_states(bool representation)
    {
        using var trained = new Trained(Architecture.Llama);
        var context = trained.Context with { Model = trained.Model };
        var rows = context.Task.Take(30).Concat(World.Forbidden(10, 91, Split.Train, comply: true)).ToArray();

        var result = new AnchorFilter(new() { Representation = representation }).Map(rows, context);

        Assert.InRange(result.Changes.Count(c => c.RowId.StartsWith("forbidden", StringComparison.Ordinal)), 8, 10);
        Assert.InRange(result.Changes.Count(c => c.RowId.StartsWith("skill", StringComparison.Ordinal)), 0, 2);
    }
}
