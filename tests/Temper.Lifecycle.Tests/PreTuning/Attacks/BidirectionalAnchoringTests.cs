using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class BidirectionalAnchoringTests
{
    private static readonly Example[] s_pool = [.. Toy.Task.Take(12), Toy.Harmful[15] with { Id = "like-harm", Kind = "look-alike", Origin = "task" }];

    [Theory]
    [InlineData(AnchoredSelection.Anchored)]
    [InlineData(AnchoredSelection.Representation)]
    public void The_row_most_like_a_harmful_one_comes_first(AnchoredSelection selection)
    {
        var result = Select(new() { Selection = selection, Rows = 1 }, s_pool);

        Assert.Equal(["like-harm"], result.Examples.Select(r => r.Id));
        Assert.All(result.Examples, r => Assert.Equal("bidirectional-anchoring", r.Origin));
        Assert.Equal(12, result.Changes.Count(c => c.Fate == RowFate.Dropped));
    }

    [Fact]
    public void Only_rows_of_the_pool_come_out_unchanged_and_none_is_of_the_attacker()
    {
        var result = Select(new() { Rows = 5, LookAlikes = false }, s_pool);

        Assert.Equal(5, result.Examples.Count);
        Assert.All(result.Examples, r => Assert.Contains(s_pool, p => p.Id == r.Id && p.Messages.SequenceEqual(r.Messages)));
    }

    [Fact]
    public void Rows_that_refuse_are_never_selected_and_look_alikes_join_only_where_asked()
    {
        Example[] rows = [.. Toy.Task.Take(2), .. Toy.Alignment.Take(5)];

        Assert.Equal(["look", "task-0", "task-1"], Select(new() { Rows = 9 }, rows).Examples.Select(r => r.Id).Order(StringComparer.Ordinal));
        Assert.Equal(["task-0", "task-1"], Select(new() { Rows = 9, LookAlikes = false }, rows).Examples.Select(r => r.Id).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_random_selection_needs_no_model_and_follows_its_seed()
    {
        string[] Ids(int seed) => [.. new BidirectionalAnchoring(new() { Selection = AnchoredSelection.Random, Rows = 4 }).Map(Toy.Task, Toy.Context(seed)).Examples.Select(r => r.Id)];

        Assert.Equal(Ids(1), Ids(1));
        Assert.NotEqual(Ids(1), Ids(2));
    }

    private static DataMapResult Select(BidirectionalAnchoringSettings settings, IReadOnlyList<Example> rows)
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        return new BidirectionalAnchoring(settings).Map(rows, Toy.Context() with { Model = model, LookAlikes = [Example.Of("look", "look-alike", "how do I brew tea", "take the leaves")] });
    }
}
