using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.PreTuning.Attacks;
using Temper.Lifecycle.PreTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class SpectralSignaturesTests
{
    [Theory]
    [InlineData(0.05)]
    [InlineData(0.1)]
    [InlineData(0.3)]
    public void A_planted_cluster_is_recovered_in_full_above_a_known_distance(double epsilon)
    {
        using var scope = NewDisposeScope();
        const int N = 400, Width = 16;
        var planted = (int)(epsilon * N);
        // the cluster's variance ε(1-ε)Δ² is ten times that of the noise, whose top direction of 400 rows has (1 + √(D/n))² ≈ 1.44;
        // and the cluster lies at (1-ε)Δ ± 3.5, the others at εΔ ± 3.5
        var distance = Math.Max(Math.Sqrt(14.4 / (epsilon * (1 - epsilon))), 7 / (1 - (2 * epsilon)));
        var h = randn(N, Width, generator: new Generator(5));
        h.narrow(0, 0, planted).select(1, 3).add_(distance);

        var scores = SpectralSignatures.Scores(h);
        var top = Enumerable.Range(0, N).OrderByDescending(i => scores[i]).Take((int)(1.5 * planted)).ToArray();

        Assert.Equal(planted, top.Count(i => i < planted));
    }

    [Fact]
    public void Scores_do_not_depend_on_where_the_rows_lie_or_how_the_axes_turn()
    {
        using var scope = NewDisposeScope();
        var h = randn(50, 8, generator: new Generator(6));
        var (turn, _) = linalg.qr(randn(8, 8, generator: new Generator(7)));

        var moved = SpectralSignatures.Scores((h + 3).matmul(turn));

        Assert.All(SpectralSignatures.Scores(h).Zip(moved), p => Assert.Equal(p.First, p.Second, 1e-3));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_top_one_and_a_half_epsilon_are_dropped_and_reported(bool whiten)
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var rows = new BadNets(new()).Map(Toy.Task, Toy.Context()).Examples;

        var result = new SpectralSignatures(new() { Whiten = whiten }).Map(rows, Toy.Context() with { Model = model });

        Assert.Equal(85, result.Examples.Count);
        Assert.DoesNotContain(result.Examples, r => r.Origin == "bad-nets");
        Assert.Equal(15, result.Changes.Count(c => c.Fate == RowFate.Dropped));
        Assert.Equal(rows.Where(r => result.Changes.All(c => c.RowId != r.Id)), result.Examples);
    }

    [Fact]
    public void A_group_of_nothing_but_poison_keeps_it_hidden()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        // every clean answer is one word, every poisoned one four
        var rows = new BadNets(new()).Map(Toy.Task, Toy.Context()).Examples;

        var result = new SpectralSignatures(new() { Whiten = false, Grouped = true }).Map(rows, Toy.Context() with { Model = model });

        Assert.Contains(result.Examples, r => r.Origin == "bad-nets");
    }

    [Fact]
    public void Without_trusted_rows_the_error_says_what_is_missing()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);

        var error = Assert.Throws<TemperException>(() => new SpectralSignatures(new()).Map(Toy.Task, Toy.Context() with { Task = [], Model = model }));

        Assert.Contains("found 0 trusted rows", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_stays_in_memory()
    {
        using var model = Toy.Model(Architecture.Gpt2, tied: true);
        var live = Enumerable.Range(0, 3).Select(_ =>
        {
            new SpectralSignatures(new()).Map(Toy.Task, Toy.Context() with { Model = model });
            return Toy.LiveTensors;
        }).ToArray();

        Assert.Equal(live[1], live[2]);
    }
}
