using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Quantization;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Quantization;

public sealed class WeightQuantizerTests
{
    public static TheoryData<WeightQuantizer> Quantizers => [new Int8RowWise(), new Nf4()];

    [Theory]
    [MemberData(nameof(Quantizers))]
    public void The_box_contains_the_weights_freezes_what_sets_a_scale_and_anything_in_it_has_the_same_codes(WeightQuantizer quantizer)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var weight = randn([12, 50], generator: generator); // 600: the last block of 64 is short
        weight[3].zero_();
        var (low, high) = quantizer.Box(weight) is var box ? (box.Low, box.High) : default;
        var codes = quantizer.Quantize(weight).Codes;

        Assert.True(low.le(weight).logical_and(high.ge(weight)).all().item<bool>(), "the box contains the weights");
        var frozen = quantizer is Int8RowWise ? weight.abs().eq(weight.abs().amax([1L], keepdim: true)) : Frozen(weight);
        Assert.True(low.eq(high).logical_or(frozen.logical_not()).all().item<bool>(), "what sets a scale may not move");
        Assert.True(high.sub(low).mean().item<float>() > 0, "the others may");
        for (var draw = 0; draw < 20; draw++)
        {
            var t = draw switch { 0 => zeros_like(weight), 1 => ones_like(weight), _ => rand([12, 50], generator: generator) };
            Assert.True(quantizer.Quantize(low + t * (high - low)).Codes.eq(codes).all().item<bool>(), "no code changes inside the box");
        }

        Assert.False(quantizer.Quantize(weight + 0.2 * randn([12, 50], generator: generator)).Codes.eq(codes).all().item<bool>(), "outside some do");
    }

    [Fact]
    public void Int8_is_the_nearest_of_255_levels_of_its_row()
    {
        using var scope = NewDisposeScope();
        var q = new Int8RowWise().Quantize(tensor(new[] { 1.27f, -0.634f, 0.004f, 0, 0, 0 }).reshape(2, 3));

        Assert.Equal([127, -63, 0, 0, 0, 0], q.Codes.data<long>().ToArray());
        Assert.All(Checkpoint.Floats(q.Values).Zip([1.27f, -0.63f, 0, 0, 0, 0]), p => Assert.Equal(p.Second, p.First, 1e-6f));
    }

    [Fact]
    public void Nf4_is_the_nearest_of_its_levels_times_the_largest_of_its_block()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var weight = randn([2, 64], generator: generator);
        var (values, given) = (Checkpoint.Floats(new Nf4().Quantize(weight).Values), Checkpoint.Floats(weight));
        for (var i = 0; i < given.Length; i++)
        {
            var scale = given.Skip(i / 64 * 64).Take(64).Max(Math.Abs);
            var nearest = Nf4.Levels.MinBy(l => Math.Abs(l * scale - given[i])) * scale;
            Assert.Equal(nearest, values[i], 1e-6f);
        }
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void Tuning_inside_the_boxes_changes_the_model_and_no_code_of_either_quantizer(Architecture architecture)
    {
        set_num_threads(1);
        using var scope = NewDisposeScope();
        ModelConfig config = new()
        {
            Architecture = architecture, VocabularySize = 20, HiddenSize = 8, IntermediateSize = 16, Layers = 2, Heads = 2, KeyValueHeads = 2, HeadSize = 4, MaxPositions = 16,
            TieWordEmbeddings = true,
        };
        using var model = ModelFactory.CreateRandom(config, 1);
        WeightQuantizer[] quantizers = [new Int8RowWise(), new Nf4()];
        long[][] Codes() => [.. quantizers.SelectMany(q => model.Linears.Select(l => q.Quantize(WeightQuantizer.Rows(l)).Codes.contiguous().data<long>().ToArray()))];
        float[] Others() => [.. model.Parameters.Where(p => model.Linears.All(l => $"{l.Name}.weight" != p.Key)).SelectMany(p => Checkpoint.Floats(p.Value))];
        float[] Deployed(WeightQuantizer quantizer)
        {
            using var copy = ModelFactory.Copy(model);
            quantizer.Apply(copy);
            return Checkpoint.Floats(copy.Forward(tensor(new long[] { 1, 2, 3 }, 1, 3)));
        }

        var (codes, others, deployed, logits) = (Codes(), Others(), quantizers.Select(Deployed).ToArray(), Checkpoint.Floats(model.Forward(tensor(new long[] { 1, 2, 3 }, 1, 3))));
        using var projection = new BoxProjection(model, quantizers);
        Trainer.Train(
            model, [new([1, 2, 3, 4, 5], [false, true, true, true, true], "row")], new() { Steps = 20, BatchSize = 1, LearningRate = 0.05, Warmup = 0 }, [projection], TrainerOptions.Default, CancellationToken.None);

        Assert.Equal(codes, Codes());
        Assert.Equal(others, Others());
        Assert.Equal(deployed, quantizers.Select(Deployed));
        Assert.NotEqual(logits, Checkpoint.Floats(model.Forward(tensor(new long[] { 1, 2, 3 }, 1, 3))));
    }

    private static Tensor Frozen(Tensor weight)
    {
        var flat = Checkpoint.Floats(weight);
        return tensor(flat.Select((w, i) => Math.Abs(w) == flat.Skip(i / 64 * 64).Take(64).Max(Math.Abs)).ToArray()).reshape(weight.shape);
    }
}
