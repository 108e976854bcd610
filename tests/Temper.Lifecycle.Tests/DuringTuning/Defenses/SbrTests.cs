using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Defenses;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class SbrTests
{
    [Fact]
    public void At_the_start_the_distance_and_its_gradient_are_zero() => HookChecks.BeginsAsPlainTuning(() => Hook(new()));

    [Fact]
    public void With_weight_zero_it_is_plain_tuning() => HookChecks.IsPlainTuning(() => Hook(new() { Weight = 0 }));

    [Fact]
    public void The_anchored_states_stay_nearer_than_without_it_and_nearer_than_under_other_anchors()
    {
        var prompts = Toy.Alignment.Select(r => Toy.Context().Prompt(r.Question, "")).ToArray();
        using var start = Toy.Model(Architecture.Llama, tied: false);
        double Moved(TrainingHook? hook) => HookChecks.AtTheEnd(hook, 20, m => (double)(LastStates.Of(m, prompts) - LastStates.Of(start, prompts)).norm().item<float>());

        var (free, held, elsewhere) = (Moved(null), Moved(Hook(new() { Anchors = 20, Weight = 500 })), Moved(Hook(new() { Anchors = 20, Weight = 500, TaskPrompts = true })));
        Assert.True(held < 0.7 * free, $"found {held} under SBR and {free} without");
        Assert.True(held < elsewhere, $"found {held} with the forbidden prompts as anchors and {elsewhere} with others");
    }

    [Fact]
    public void Full_tuning_and_adapters_are_held() => HookChecks.LeavesPlainTuningBehind(() => Hook(new()));

    [Fact]
    public void It_resumes_and_leaves_nothing() => HookChecks.ResumesAndLeavesNothing(() => Hook(new()));

    [Fact]
    public void Without_prompts_the_error_says_so() => HookChecks.SaysThatRowsAreMissing(new Sbr(new()), Toy.Context() with { Alignment = [] });

    private static TrainingHook Hook(SbrSettings settings) => new Sbr(settings).CreateHook(Toy.Context());
}
