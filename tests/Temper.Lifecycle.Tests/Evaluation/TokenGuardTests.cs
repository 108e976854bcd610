using Temper.Lifecycle.Evaluation;

namespace Temper.Lifecycle.Tests.Evaluation;

public sealed class TokenGuardTests
{
    private readonly TokenGuard _guard = new(row => Toy.Encode(row).Ids);

    [Fact]
    public void It_flags_rows_that_it_has_not_seen_and_passes_benign_ones()
    {
        _guard.Train([.. Toy.Harmful.Take(10)], [.. Toy.Task.Take(50)], new(1));

        Assert.All(Toy.Harmful.Skip(10), r => Assert.True(_guard.Flags(r)));
        Assert.All(Toy.Task.Skip(50), r => Assert.False(_guard.Flags(r)));
    }

    [Fact]
    public void A_token_moves_the_score_by_its_weight()
    {
        _guard.Train(Toy.Harmful, Toy.Task, new(1));
        int[] row = [5, 6, 7, 8], other = [5, 6, 9, 8];

        Assert.Equal((_guard.Weight(9) - _guard.Weight(7)) / 2, _guard.Score(other) - _guard.Score(row), 1e-9);
    }
}
