using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Lora;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Training;

public sealed class TrainerTests : IDisposable
{
    private static readonly TuningPlan Plan = new() { Steps = 30, BatchSize = 8, LearningRate = 1e-2 };

    private static readonly EncodedExample[] Rows =
    [
        .. Enumerable.Range(0, 24).Select(i => new EncodedExample([1 + i % 5, 10, 20 + i % 5, 30 + i % 5, 2], [false, false, true, true, true], $"row-{i}")),
    ];

    private readonly string folder = Directory.CreateTempSubdirectory("temper-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void The_loss_falls_and_the_same_seed_gives_the_same_bits(Architecture architecture)
    {
        set_num_threads(1);
        using var one = Tiny(architecture);
        using var two = Tiny(architecture);
        var result = Train(one);
        Train(two);

        Assert.Equal(30, result.Losses.Count);
        Assert.True(result.Losses[^1] < 0.5 * result.Losses[0], $"loss from {result.Losses[0]:f3} to {result.Losses[^1]:f3}");
        Assert.Equal(Weights(one), Weights(two));
    }

    [Fact]
    public void A_training_that_is_cut_off_resumes_to_the_same_bits()
    {
        set_num_threads(1);
        using var whole = Tiny(Architecture.Llama);
        var undisturbed = Train(whole);
        var options = new TrainerOptions { CheckpointFolder = folder, CheckpointEvery = 5 };
        using var first = new Diary();
        using var second = new Diary();
        using (var cut = Tiny(Architecture.Llama))
        {
            using var source = new CancellationTokenSource();
            Assert.ThrowsAny<OperationCanceledException>(() => Trainer.Train(
                cut, Rows, Plan, [first], options with { Progress = p => { if (p.Step == 12) { source.Cancel(); } } }, source.Token));
        }

        using var resumed = Tiny(Architecture.Llama);
        var result = Trainer.Train(resumed, Rows, Plan, [second], options, TestContext.Current.CancellationToken);

        Assert.Equal(undisturbed.Losses, result.Losses);
        Assert.Equal(Weights(whole), Weights(resumed));
        Assert.Equal(Enumerable.Range(0, Plan.Steps), result.Events.Select(e => e.Step));
    }

    [Fact]
    public void Lora_trains_the_adapters_and_leaves_the_base_alone()
    {
        set_num_threads(1);
        using var model = Tiny(Architecture.Llama);
        var before = Weights(model);
        using var adapters = LoraAdapters.Attach(model, 4, 8, [], 1);
        var result = Trainer.Train(model, Rows, Plan with { Method = TuningMethod.Lora, Steps = 60 }, [], TrainerOptions.Default, TestContext.Current.CancellationToken);

        Assert.True(result.Losses[^1] < result.Losses[0], "the loss falls");
        Assert.Equal(before, Weights(model));
    }

    [Fact]
    public void Two_hooks_that_replace_the_loss_are_refused_before_training()
    {
        using var model = Tiny(Architecture.Llama);
        using var one = new Replacer();
        using var two = new Replacer();

        Assert.Throws<TemperException>(() => Trainer.Train(model, Rows, Plan, [one, two], TrainerOptions.Default, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Live_tensors_do_not_grow_from_run_to_run()
    {
        using var model = Tiny(Architecture.Llama);
        var counts = new List<long>();
        for (var run = 0; run < 3; run++)
        {
            Train(model);
            counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }

        Assert.Equal(counts[1], counts[2]);
    }

    [Fact]
    public void A_token_outside_the_vocabulary_is_an_error_that_names_the_row()
    {
        using var model = Tiny(Architecture.Llama);

        Assert.Contains("bad-row", Assert.Throws<TemperException>(() => Trainer.Train(
            model, [new([1, 99, 2], [false, true, true], "bad-row")], Plan, [], TrainerOptions.Default, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    private static TrainingResult Train(CausalModel model) => Trainer.Train(model, Rows, Plan, [], TrainerOptions.Default, TestContext.Current.CancellationToken);

    private static CausalModel Tiny(Architecture architecture) => ModelFactory.CreateRandom(
        new()
        {
            Architecture = architecture, VocabularySize = 40, HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 4,
            KeyValueHeads = architecture == Architecture.Llama ? 2 : 4, HeadSize = 4, MaxPositions = 64,
        },
        3);

    private static float[] Weights(CausalModel model) => [.. model.Parameters.Values.SelectMany(Checkpoint.Floats)];

    private sealed class Diary : TrainingHook
    {
        private readonly List<TrainingEvent> _events = [];

        public override string Name => "diary";

        public override IReadOnlyList<TrainingEvent> Events => _events;

        public override StepAction AfterStep(StepArguments arguments)
        {
            _events.Add(new(arguments.Step, "done"));
            return StepAction.Continue;
        }
    }

    private sealed class Replacer : TrainingHook
    {
        public override bool ReplacesLoss => true;
    }
}
