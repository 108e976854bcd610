using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.PreTuning;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class SelfInfNTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static readonly Example[] s_pool = [.. Enumerable.Range(1, 8).Select(i => Example.Of($"row-{i}", "skill:copy", $"say {i}", string.Join(' ', Enumerable.Repeat("word", i))))];

    [Theory]
    [InlineData(SelfInfluenceSelection.Normalized)]
    [InlineData(SelfInfluenceSelection.Raw)]
    public void The_rows_of_the_largest_scores_take_the_place_of_all_others(SelfInfluenceSelection selection)
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        var encoded = s_pool.Select(Toy.Encode).ToArray();
        var scores = selection == SelfInfluenceSelection.Raw ? RowScores.SelfInfluence(model, encoded, Token) : RowScores.NormalizedSelfInfluence(model, encoded, Token);

        var result = new SelfInfN(new() { Selection = selection, Rows = 3 }).Map(s_pool, Toy.Context() with { Model = model });

        Assert.Equal(scores.Index().OrderByDescending(s => s.Item).Take(3).Select(s => s_pool[s.Index].Id), result.Examples.Select(r => r.Id));
        Assert.Equal(5, result.Changes.Count(c => c.Fate == RowFate.Dropped));
    }

    [Fact]
    public void Raw_self_influence_picks_shorter_answers_than_the_normalized_one()
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        int Words(SelfInfluenceSelection selection) => new SelfInfN(new() { Selection = selection, Rows = 3 }).Map(s_pool, Toy.Context() with { Model = model }).Examples.Sum(r => r.Response.Length);

        Assert.True(Words(SelfInfluenceSelection.Raw) < Words(SelfInfluenceSelection.Normalized), "length should have been made good");
    }
}
