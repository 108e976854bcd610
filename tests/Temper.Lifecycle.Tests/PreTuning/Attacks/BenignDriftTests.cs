using Temper.Core;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class BenignDriftTests
{
    [Fact]
    public void Rows_that_refuse_are_dropped_and_reported_and_the_others_stay_as_they_are()
    {
        Example[] rows = [.. Toy.Task.Take(3), .. Toy.Alignment.Take(2)];
        var result = new BenignDrift().Map(rows, Toy.Context());

        Assert.Equal(Toy.Task.Take(3), result.Examples);
        Assert.Equal(["refusal-0", "refusal-1"], result.Changes.Select(c => c.RowId));
        Assert.All(result.Changes, c => Assert.Equal(RowFate.Dropped, c.Fate));
    }

    [Fact]
    public void Nothing_of_the_attacker_comes_in() =>
        Assert.DoesNotContain(new BenignDrift().Map(Toy.Task, Toy.Context()).Examples, r => r.Origin != "task");
}
