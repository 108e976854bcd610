using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class SafeGradTests
{
    [Fact]
    public void A_gradient_that_conflicts_ends_normal_to_that_of_alignment()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var alignment = randn([50], ScalarType.Float32, generator: generator);
        var user = randn([50], ScalarType.Float32, generator: generator) - alignment;
        var operated = SafeGrad.Operate(user, alignment);

        Assert.True(user.dot(alignment).item<float>() < -1, "they conflict");
        Assert.InRange(Math.Abs(operated.dot(alignment).item<float>()), 0, 1e-4);
        // only along the gradient of alignment was anything taken
        Assert.InRange((user - operated).norm().item<float>() - (Math.Abs(user.dot(alignment).item<float>()) / alignment.norm().item<float>()), -1e-4, 1e-4);
    }

    [Fact]
    public void One_that_does_not_is_left_alone()
    {
        using var scope = NewDisposeScope();
        var (user, alignment) = (tensor(new[] { 1f, 2, -1 }), tensor(new[] { 1f, 1, 1 }));
        Assert.Equal(0, (SafeGrad.Operate(user, alignment) - user).abs().max().item<float>());
        Assert.Equal(0, (SafeGrad.Operate(-user, zeros(3)) + user).abs().max().item<float>());
    }

    [Fact]
    public void At_the_start_nothing_is_aligned_for_and_the_step_is_that_of_plain_tuning() => HookChecks.BeginsAsPlainTuning(() => Hook(new()));

    [Fact]
    public void Without_surgery_and_weight_it_is_plain_tuning() => HookChecks.IsPlainTuning(() => Hook(new() { Rho = 0, Surgery = false }));

    [Fact]
    public void Alignment_rows_diverge_less_from_the_aligned_model()
    {
        using var teacher = Toy.Model(Architecture.Llama, tied: false);
        double Divergence(TrainingHook? hook) => HookChecks.AtTheEnd(hook, 20, m =>
        {
            using var scope = NewDisposeScope();
            return (double)ResponseLoss.Divergence(m, teacher, Batch.Of([.. Toy.Alignment.Select(Toy.Encode)])).item<float>();
        });

        var (free, held) = (Divergence(null), Divergence(Hook(new() { Rho = 5 })));
        Assert.True(held < 0.7 * free, $"found {held} nats under SafeGrad and {free} without");
    }

    [Fact]
    public void Full_tuning_and_adapters_are_operated_on() => HookChecks.LeavesPlainTuningBehind(() => Hook(new() { Rho = 0 }));

    [Fact]
    public void It_resumes_and_leaves_nothing() => HookChecks.ResumesAndLeavesNothing(() => Hook(new()));

    [Fact]
    public void Without_alignment_rows_the_error_says_so() => HookChecks.SaysThatRowsAreMissing(new SafeGrad(new()), Toy.Context() with { Alignment = [] });

    private static TrainingHook Hook(SafeGradSettings settings) => new SafeGrad(settings).CreateHook(Toy.Context());
}
