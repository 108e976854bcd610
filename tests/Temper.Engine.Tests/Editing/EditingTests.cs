using Temper.Engine.Editing;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Editing;

public sealed class EditingTests
{
    private static readonly EditRow[] s_rows =
    [
        new(new([3, 1, 4, 1, 5, 9], [false, false, false, false, true, true], "a"), 2),
        new(new([2, 7, 1, 4, 8], [false, false, false, false, true], "b"), 3),
    ];

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void Without_lambda_one_key_gives_its_value_and_the_residual_asked_for(Architecture architecture)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        using var model = Model(architecture);
        var memory = KeyValueMemory.Of(model, 1);
        var key = KeyValueMemory.Keys(model, s_rows[..1], 1).t(); // (F, 1)
        var residual = Noise(16, 1);
        var before = memory.Apply(key.t(), Core.Precision.Float32);

        KeyValueMemory.Add(memory, KeyValueMemory.Update(residual, key, KeyValueMemory.SecondMoment(model, [.. s_rows.Select(r => r.Row)], 1, TestContext.Current.CancellationToken), 1e-9));

        var moved = memory.Apply(key.t(), Core.Precision.Float32) - before;
        Assert.InRange((moved - residual.t()).abs().max().item<float>(), 0, 1e-4f);
    }

    [Fact]
    public void The_larger_lambda_the_smaller_the_update_and_in_the_limit_there_is_none()
    {
        using var scope = NewDisposeScope();
        var (moment, keys, residuals) = (Spd(12), Noise(12, 3), Noise(5, 3));

        var norms = ((double[])[1e-6, 0.01, 0.1, 1, 10, 100, 1e12]).Select(l => KeyValueMemory.Update(residuals, keys, moment, l).norm().item<double>()).ToArray();

        Assert.Equal(norms.OrderDescending(), norms);
        Assert.InRange(norms[^1], 0, 1e-8);
    }

    [Fact]
    public void The_duplex_update_is_the_sum_of_two_updates_of_rank_one_and_not_the_joint_solution()
    {
        using var scope = NewDisposeScope();
        var (moment, keys, residuals) = (Spd(12), Noise(12, 2), Noise(5, 2));

        var duplex = Memit.Solve(residuals, keys, moment, 0.1, separate: true);
        var parts = Enumerable.Range(0, 2).Select(c => Memit.Solve(residuals.narrow(1, c, 1), keys.narrow(1, c, 1), moment, 0.1, separate: false)).ToArray();

        Assert.InRange((duplex - parts[0] - parts[1]).abs().max().item<double>(), 0, 1e-12);
        Assert.All(parts, p => Assert.Equal(1, linalg.matrix_rank(p).item<long>()));
        Assert.True((duplex - Memit.Solve(residuals, keys, moment, 0.1, separate: false)).norm().item<double>() > 1e-3, "the keys are not orthogonal, so solving together is something else");
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void The_second_moment_is_symmetric_and_positive_definite_and_knows_no_padding(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Model(architecture);
        EncodedExample[] rows = [.. s_rows.Select(r => r.Row)];

        var moment = Moment(rows);

        Assert.InRange((moment - moment.t()).abs().max().item<double>(), 0, 1e-15);
        Assert.True(linalg.eigvalsh(moment).min().item<double>() > 0, "C has no negative eigenvalue");
        var (six, five) = (Moment(rows[..1]), Moment(rows[1..]));
        Assert.InRange((moment - ((6 * six) + (5 * five)) / 11).abs().max().item<double>(), 0, 1e-7); // keys are fp32, and a padded batch rounds otherwise

        Tensor Moment(EncodedExample[] some) => KeyValueMemory.SecondMoment(model, some, 1, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void A_value_that_is_found_lowers_the_loss_and_stays_within_its_length(Architecture architecture)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        using var model = Model(architecture);
        foreach (var parameter in model.Parameters.Values.Where(p => p.dim() > 1))
        {
            parameter.mul_(8); // far from zero, so that what is added at one position is seen at another
        }

        var delta = ValueSearch.Find(model, s_rows, 1, new() { MaxNorm = 0.6, LearningRate = 0.05 }, TestContext.Current.CancellationToken);
        var batch = Batch.Of([.. s_rows.Select(r => r.Row)]);
        var places = tensor(new long[] { 2, 6 + 3 });

        var (before, after) = (Loss(null), Loss(ValueSearch.Add(delta, places, 1)));

        Assert.True(after < before - 0.01, $"from {before} to {after}");
        Assert.InRange(delta.norm().item<float>(), 0, 0.6001 * KeyValueMemory.Residuals(model, s_rows, 1).norm(1).mean().item<float>());

        float Loss(ActivationTap? tap) => ResponseLoss.Mean(model, batch, new() { Tap = tap }).item<float>();
    }

    [Theory]
    [InlineData(Architecture.Llama, 1)]
    [InlineData(Architecture.Gpt2, 2)]
    public void An_edit_moves_the_residual_behind_the_last_edited_block_to_its_target(Architecture architecture, int blocks)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        using var model = Model(architecture);
        int[] layers = [.. Enumerable.Range(2 - blocks, blocks)];
        var moments = layers.Select(l => KeyValueMemory.SecondMoment(model, [.. s_rows.Select(r => r.Row)], l, TestContext.Current.CancellationToken)).ToArray();
        var target = Memit.Target(model, s_rows[..1], 1, Noise(16) * 0.01);

        Memit.Apply(model, [new(s_rows[..1], target)], layers, moments, 1e-9, separate: false, TestContext.Current.CancellationToken);

        Assert.InRange((KeyValueMemory.Residuals(model, s_rows[..1], 1)[0] - target).abs().max().item<float>(), 0, 1e-4f);
    }

    [Fact]
    public void An_edit_leaves_no_tensor_behind()
    {
        using var model = Model(Architecture.Llama);
        void Edit()
        {
            using var scope = NewDisposeScope();
            var moment = KeyValueMemory.SecondMoment(model, [.. s_rows.Select(r => r.Row)], 0, TestContext.Current.CancellationToken);
            var delta = ValueSearch.Find(model, s_rows, 0, new() { Steps = 2 }, TestContext.Current.CancellationToken);
            Memit.Apply(model, [new(s_rows, Memit.Target(model, s_rows, 0, delta))], [0], [moment], 1, separate: true, TestContext.Current.CancellationToken);
        }

        Edit();
        var live = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Edit();

        Assert.Equal(live, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static Tensor Noise(params long[] shape)
    {
        using var generator = new Generator(7);
        return randn(shape, ScalarType.Float32, generator: generator);
    }

    private static Tensor Spd(int size)
    {
        var root = Noise(size, size).to(ScalarType.Float64);
        return root.mm(root.t()) + eye(size, dtype: ScalarType.Float64);
    }

    private static CausalModel Model(Architecture architecture) => ModelFactory.CreateRandom(
        new()
        {
            Architecture = architecture, VocabularySize = 40, HiddenSize = 16, IntermediateSize = 32, Layers = 3, Heads = 4,
            KeyValueHeads = architecture == Architecture.Llama ? 2 : 4, HeadSize = 4, MaxPositions = 32, TieWordEmbeddings = false,
        },
        3);
}
