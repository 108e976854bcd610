using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Training;

public sealed class RowFeaturesTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static readonly EncodedExample s_row = new([3, 4, 5, 6, 7, 8], [false, false, true, true, true, true], "a");
    private static readonly EncodedExample s_other = new([9, 2, 11, 12], [false, false, true, true], "b");

    [Fact]
    public void Only_the_first_targets_stay_and_what_is_behind_them_is_cut()
    {
        var cut = s_row.FirstTargets(2);

        Assert.Equal([3, 4, 5, 6], cut.Ids);
        Assert.Equal([false, false, true, true], cut.Supervised);
        Assert.Equal(s_row.Supervised, s_row.FirstTargets(10).Supervised);
    }

    [Fact]
    public void A_supervised_first_token_has_no_predecessor_and_does_not_count() =>
        Assert.Equal([false, true], new EncodedExample([1, 2, 3], [true, true, true], "c").FirstTargets(1).Supervised);

    [Fact]
    public void Targets_that_are_cut_away_have_no_part_in_the_gradient()
    {
        using var model = Model();
        var changed = new EncodedExample([3, 4, 5, 6, 20, 21], s_row.Supervised, "a");

        Assert.Equal(Norm(model, s_row.FirstTargets(2)), Norm(model, changed.FirstTargets(2)), 1e-9);
        Assert.NotEqual(Norm(model, s_row), Norm(model, changed), 1e-6);
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void A_row_projects_to_one_on_its_own_direction_and_the_norm_is_its_gradients(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Model(architecture);
        var direction = RowFeatures.MeanDirection(model, [s_row], Token);
        var gradient = Gradients.Flat(() => ResponseLoss.Mean(model, Batch.Of([s_row])), [.. model.Parameters.Values]);

        var found = RowFeatures.Gradients(model, [s_row, s_other], [direction, -direction], Token);

        Assert.Equal(1, found[0].Projections[0], 1e-4);
        Assert.Equal(-1, found[0].Projections[1], 1e-4);
        Assert.InRange(found[1].Projections[0], -1, 0.9999);
        Assert.Equal(Math.Pow(gradient.norm().item<float>(), 2), found[0].SquaredNorm, 1e-3 * found[0].SquaredNorm);
    }

    [Fact]
    public void The_mean_of_two_directions_is_no_longer_than_one_and_each_row_weighs_the_same()
    {
        using var scope = NewDisposeScope();
        using var model = Model();
        var (first, second, mean) = (RowFeatures.MeanDirection(model, [s_row], Token), RowFeatures.MeanDirection(model, [s_other], Token), RowFeatures.MeanDirection(model, [s_row, s_other], Token));

        Assert.True(((first + second) / 2 - mean).norm().item<float>() < 1e-5);
        Assert.InRange(mean.norm().item<float>(), 0, 0.99999f);
        Assert.Throws<TemperException>(() => RowFeatures.MeanDirection(model, [], Token));
    }

    [Fact]
    public void The_last_hidden_state_is_that_of_the_last_target_whatever_is_beside_it_in_the_batch()
    {
        using var scope = NewDisposeScope();
        using var model = Model();
        var alone = RowFeatures.LastHidden(model, [s_other], Token)[0];
        var together = RowFeatures.LastHidden(model, [s_row, s_other], Token)[1];
        using var quiet = no_grad();
        var hidden = model.Hidden(model.Embed(tensor((long[])[9, 2, 11, 12], 1, 4)), ForwardOptions.Default)[0, 3];

        Assert.Equal(1, alone.Sum(x => (double)x * x), 1e-5);
        Assert.All(alone.Zip(together), p => Assert.Equal(p.First, p.Second, 1e-5));
        Assert.All(alone.Zip(Checkpoint.Floats(hidden / hidden.norm())), p => Assert.Equal(p.Second, p.First, 1e-5));
    }

    [Fact]
    public void The_model_is_left_as_it_was_and_nothing_stays_in_memory()
    {
        using var model = Model();
        var before = model.Parameters.Values.SelectMany(Checkpoint.Floats).ToArray();
        long[] live = [.. Enumerable.Range(0, 3).Select(_ =>
        {
            RowFeatures.MeanDirection(model, [s_row, s_other], Token).Dispose();
            RowFeatures.Gradients(model, [s_row, s_other], [], Token);
            RowFeatures.LastHidden(model, [s_row, s_other], Token);
            return DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        })];

        Assert.Equal(live[1], live[2]);
        Assert.Equal(before, model.Parameters.Values.SelectMany(Checkpoint.Floats));
        Assert.All(model.Parameters.Values, p => Assert.Null(p.grad));
    }

    private static double Norm(CausalModel model, EncodedExample row) => RowFeatures.Gradients(model, [row], [], Token)[0].SquaredNorm;

    private static CausalModel Model(Architecture architecture = Architecture.Llama) => ModelFactory.CreateRandom(
        new()
        {
            Architecture = architecture, VocabularySize = 40, HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 4,
            KeyValueHeads = architecture == Architecture.Llama ? 2 : 4, HeadSize = 4, MaxPositions = 64, TieWordEmbeddings = false,
        },
        3);
}
