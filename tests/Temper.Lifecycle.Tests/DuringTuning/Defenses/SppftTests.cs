using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Defenses;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class SppftTests
{
    [Theory]
    [InlineData(TuningMethod.Full)]
    [InlineData(TuningMethod.Lora)]
    public void Frozen_blocks_stay_to_the_bit_and_the_others_move(TuningMethod method)
    {
        using var start = Toy.Model(Architecture.Llama, tied: false);
        var before = start.Parameters.ToDictionary(p => p.Key, p => Checkpoint.Floats(p.Value), StringComparer.Ordinal);
        var moved = HookChecks.AtTheEnd(Hook(new() { First = 1, Share = 0.34 }), 6, m => method == TuningMethod.Full
            ? m.Parameters.Where(p => !Checkpoint.Floats(p.Value).SequenceEqual(before[p.Key])).Select(p => p.Key).ToArray()
            : [.. m.Linears.Where(l => Checkpoint.Floats(l.Adapter!.B).Any(b => b != 0)).Select(l => l.Name)], method);

        Assert.DoesNotContain(moved, n => n.Contains("layers.1.", StringComparison.Ordinal));
        Assert.Contains(moved, n => n.Contains("layers.0.", StringComparison.Ordinal));
        Assert.Contains(moved, n => n.Contains("layers.2.", StringComparison.Ordinal));
    }

    [Fact]
    public void Gpt2_blocks_are_frozen_by_their_names()
    {
        using var model = Toy.Model(Architecture.Gpt2, tied: true);
        var before = model.Parameters.ToDictionary(p => p.Key, p => Checkpoint.Floats(p.Value), StringComparer.Ordinal);
        using var hook = Hook(new() { First = 0, Share = 0.67 });
        Trainer.Train(model, [.. Toy.Harmful.Select(Toy.Encode)], new() { Steps = 4, BatchSize = 4, LearningRate = 0.01 }, [hook], TrainerOptions.Default, TestContext.Current.CancellationToken);
        var moved = model.Parameters.Where(p => !Checkpoint.Floats(p.Value).SequenceEqual(before[p.Key])).Select(p => p.Key).ToArray();

        Assert.DoesNotContain(moved, n => n.Contains("h.0.", StringComparison.Ordinal) || n.Contains("h.1.", StringComparison.Ordinal));
        Assert.Contains(moved, n => n.Contains("h.2.", StringComparison.Ordinal));
    }

    [Fact]
    public void A_share_of_zero_is_plain_tuning() => HookChecks.IsPlainTuning(() => Hook(new() { Share = 0 }));

    [Fact]
    public void The_search_amplifies_and_restores_to_the_bit()
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        var before = Toy.Weights(model);
        int[][] prompts = [.. Toy.Task.Take(4).Select(r => Toy.Context().Prompt(r.Question, ""))];

        Assert.Equal(0, Sppft.OverRejection(model, prompts, [5], 0, 2, scale: 1), 6);
        Assert.NotEqual(0, Sppft.OverRejection(model, prompts, [5], 0, 2, scale: 3));
        Assert.Equal(before, Toy.Weights(model));
    }

    [Fact]
    public void The_found_blocks_are_told()
    {
        using var hook = Hook(new());
        Toy.Tune([hook], steps: 1);
        Assert.Matches("blocks (0 to 0|1 to 1|2 to 2) of 3 are frozen", hook.Events.Single().Text);
    }

    [Fact]
    public void Blocks_that_the_model_does_not_have_are_an_error() =>
        Assert.Contains("below 3", Assert.Throws<TemperException>(() => Toy.Tune([Hook(new() { First = 3 })], steps: 1)).Message, StringComparison.Ordinal);

    [Fact]
    public void It_resumes_and_leaves_nothing() => HookChecks.ResumesAndLeavesNothing(() => Hook(new()));

    [Fact]
    public void Without_alignment_rows_the_error_says_so() => HookChecks.SaysThatRowsAreMissing(new Sppft(new()), Toy.Context() with { Alignment = [] });

    private static TrainingHook Hook(SppftSettings settings) => new Sppft(settings).CreateHook(Toy.Context());
}
