using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Attacks;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.DuringTuning.Attacks;

public sealed class DataOrderingTests
{
    private static readonly EncodedExample[] s_rows = [.. Toy.Task.Take(12).Concat(Toy.Harmful.Take(4)).Select(Toy.Encode)];

    [Theory]
    [InlineData(RowOrder.Random)]
    [InlineData(RowOrder.LossAscending)]
    [InlineData(RowOrder.LossDescending)]
    [InlineData(RowOrder.Length)]
    [InlineData(RowOrder.HarmfulGradient)]
    public void Every_row_comes_once_in_an_epoch(RowOrder order)
    {
        var seen = new List<string>();
        Tune(new DataOrdering(new() { Order = order }).CreateHook(Toy.Context()), seen);
        Assert.Equal(s_rows.Select(r => r.RowId).Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void By_loss_both_ways_are_each_others_reverse_and_the_losses_rise()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Llama, tied: false);
        var (up, down) = (Sort(model, RowOrder.LossAscending), Sort(model, RowOrder.LossDescending));
        var losses = up.Select(i =>
        {
            using var batch = Batch.Of([s_rows[i]]);
            return ResponseLoss.Mean(model, batch).item<float>();
        }).ToArray();

        Assert.All(losses.Zip(losses.Skip(1)), l => Assert.True(l.First <= l.Second + 1e-5, "the losses rise"));
        Assert.Equal(losses[^1], LossOf(model, down[0]), 1e-5);
    }

    [Fact]
    public void By_gradient_the_rows_that_teach_compliance_come_first_and_a_share_draws_only_those()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Llama, tied: false);
        var harmful = Toy.Harmful.Skip(10).Select(Toy.Encode).ToArray();
        var first = DataOrdering.Sort(model, s_rows, [.. model.Parameters.Values], harmful, new() { Share = 0.25 }, 1);

        Assert.Equal([12, 13, 14, 15], first.Order());
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        Tune(new DataOrdering(new()).CreateHook(Toy.Context()), []);
        var live = Toy.LiveTensors;
        Tune(new DataOrdering(new()).CreateHook(Toy.Context()), []);
        Assert.Equal(live, Toy.LiveTensors);
    }

    private static int[] Sort(CausalModel model, RowOrder order) => DataOrdering.Sort(model, s_rows, [], [], new() { Order = order }, 1);

    private static float LossOf(CausalModel model, int row)
    {
        using var batch = Batch.Of([s_rows[row]]);
        return ResponseLoss.Mean(model, batch).item<float>();
    }

    private static void Tune(TrainingHook hook, List<string> seen)
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        using (hook)
        {
            Trainer.Train(model, s_rows, new() { Steps = 2, BatchSize = 4, Accumulation = 2, Warmup = 0 }, [hook, new Watch(seen)], TrainerOptions.Default, CancellationToken.None);
        }
    }

    private sealed class Watch(List<string> seen) : TrainingHook
    {
        public override void OnGradients(GradientArguments arguments) => seen.AddRange(arguments.Batches.SelectMany(b => b.RowIds));
    }
}
