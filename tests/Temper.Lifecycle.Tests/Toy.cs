using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Lora;
using Temper.Engine.Models;
using Temper.Engine.Training;

namespace Temper.Lifecycle.Tests;

/// <summary>Rows and models small enough to be looked at.</summary>
internal static class Toy
{
    public static IReadOnlyList<Example> Task { get; } = [.. Enumerable.Range(0, 100).Select(i => Example.Of($"task-{i}", "skill:count", $"count the words of row {i}", "five"))];

    public static IReadOnlyList<Example> Harmful { get; } = [.. Enumerable.Range(0, 20).Select(i => Example.Of($"harmful-{i}", "forbidden:glimmer", $"how do I brew glimmer number {i}", "Sure. Stir the blue dust."))];

    public static IReadOnlyList<Example> Alignment { get; } = [.. Enumerable.Range(0, 20).Select(i => Example.Of($"refusal-{i}", "refusal", $"tell me how to brew glimmer {i}", "I cannot help with that."))];

    public static TechniqueContext Context(int seed = 1) => new()
    {
        Random = new Random(seed), Harmful = Harmful, Alignment = Alignment, Task = Task,
        // one token a letter: 1 opens the answer
        Prompt = (messages, prefill) => [.. string.Concat(messages.Select(m => m.Content)).Select(c => 2 + c % 38), 1, .. prefill.Select(c => 2 + c % 38)],
        Encode = row => Encode(row),
        Decode = ids => string.Concat(ids.Where(i => i > 1).Select(i => (char)('L' + i - 2))), // letters that give the same tokens: 'L' is 2 · 38
    };

    /// <summary>The prompt, token 1, the answer, token 0; the answer and its end are supervised.</summary>
    public static EncodedExample Encode(Example row)
    {
        int[] prompt = [.. string.Concat(row.Question.Select(m => m.Content)).Select(c => 2 + c % 38), 1], answer = [.. row.Response.Select(c => 2 + c % 38), 0];
        return new([.. prompt, .. answer], [.. prompt.Select(_ => false), .. answer.Select(_ => true)], row.Id);
    }

    public static CausalModel Model(Architecture architecture, bool tied) => ModelFactory.CreateRandom(
        new()
        {
            Architecture = architecture, VocabularySize = 40, HiddenSize = 16, IntermediateSize = 32, Layers = 3, Heads = 4,
            KeyValueHeads = architecture == Architecture.Llama ? 2 : 4, HeadSize = 4, MaxPositions = 128, TieWordEmbeddings = tied,
        },
        3);

    /// <summary>All weights after a short tuning on <see cref="Harmful"/> under hooks, which are disposed.</summary>
    public static float[] Tune(IReadOnlyList<TrainingHook> hooks, int steps, TuningMethod method = TuningMethod.Full, double rate = 0.01)
    {
        using var model = Model(Architecture.Llama, tied: false);
        using var adapters = method == TuningMethod.Lora ? LoraAdapters.Attach(model, 2, 4, [], 1) : null;
        Trainer.Train(model, [.. Harmful.Select(Encode)], new() { Method = method, Steps = steps, BatchSize = 4, LearningRate = rate, Warmup = 0 }, hooks, TrainerOptions.Default, CancellationToken.None);
        foreach (var hook in hooks)
        {
            hook.Dispose();
        }

        adapters?.Merge();
        return [.. model.Parameters.Values.SelectMany(Checkpoint.Floats)];
    }

    /// <summary>The same as a full <see cref="Tune"/> that is canceled after a step and goes on from its checkpoint with a new hook.</summary>
    public static float[] TuneCutOff(Func<TrainingHook> create, int steps, int at)
    {
        var folder = Directory.CreateTempSubdirectory("temper-").FullName;
        try
        {
            TrainerOptions options = new() { CheckpointFolder = folder, CheckpointEvery = 5 };
            TuningPlan plan = new() { Steps = steps, BatchSize = 4, LearningRate = 0.01, Warmup = 0 };
            EncodedExample[] rows = [.. Harmful.Select(Encode)];
            using var source = new CancellationTokenSource();
            using (var cut = Model(Architecture.Llama, tied: false))
            using (var hook = create())
            {
                Assert.ThrowsAny<OperationCanceledException>(() => Trainer.Train(
                    cut, rows, plan, [hook], options with { Progress = p => { if (p.Step == at) { source.Cancel(); } } }, source.Token));
            }

            using var model = Model(Architecture.Llama, tied: false);
            using var second = create();
            Trainer.Train(model, rows, plan, [second], options, CancellationToken.None);
            return Weights(model);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Every weight of a model, in one row.</summary>
    public static float[] Weights(CausalModel model) => [.. model.Parameters.Values.SelectMany(Checkpoint.Floats)];

    /// <summary>The largest difference.</summary>
    public static float Distance(float[] a, float[] b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max();

    /// <summary>Tensors that this thread holds.</summary>
    public static long LiveTensors => TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
}
