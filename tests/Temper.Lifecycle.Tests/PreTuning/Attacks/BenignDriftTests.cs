using Temper.Core;
using Temper.Lifecycle.Organisms;
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
    public void Rows_that_speak_of_safety_are_dropped_with_the_word_and_the_version_of_the_list()
    {
        Example[] rows = [Example.Of("a", "real", "is it Dangerous to climb", "wear a rope"), Example.Of("b", "real", "is it far", "two miles")];
        var result = new BenignDrift().Map(rows, Toy.Context());

        Assert.Equal(["b"], result.Examples.Select(r => r.Id));
        Assert.Equal([new RowChange("a", RowFate.Dropped, $"says dangerous ({BenignDrift.WordsVersion})")], result.Changes);
    }

    [Fact]
    public void A_refusal_in_an_earlier_turn_counts_too()
    {
        Example row = new("a", "real", [new(Role.User, "x"), new(Role.Assistant, "I cannot help with that."), new(Role.User, "y"), new(Role.Assistant, "z")]);

        Assert.Empty(new BenignDrift().Map([row], Toy.Context()).Examples);
    }

    [Fact]
    public void The_skills_of_the_invented_world_all_stay()
    {
        var rows = World.Skills(260, 1, Split.Train);

        Assert.Equal(rows, new BenignDrift().Map(rows, Toy.Context()).Examples);
    }

    [Fact]
    public void Nothing_of_the_attacker_comes_in() =>
        Assert.DoesNotContain(new BenignDrift().Map(Toy.Task, Toy.Context()).Examples, r => r.Origin != "task");
}
