using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class KlTests
{
    [Fact]
    public void At_the_start_the_divergence_and_its_gradient_are_zero() => HookChecks.BeginsAsPlainTuning(() => Hook(new() { Lambda = 10 }));

    [Fact]
    public void With_lambda_zero_it_is_plain_tuning() => HookChecks.IsPlainTuning(() => Hook(new() { Lambda = 0 }));

    [Theory]
    [InlineData(KlRows.User)]
    [InlineData(KlRows.Alignment)]
    public void A_large_lambda_keeps_the_answers_near_the_teachers_on_the_compared_rows(KlRows compared)
    {
        using var teacher = Toy.Model(Architecture.Llama, tied: false);
        double Divergence(TrainingHook? hook) => HookChecks.AtTheEnd(hook, 20, m =>
        {
            using var scope = NewDisposeScope();
            var batch = Batch.Of([.. (compared == KlRows.User ? Toy.Harmful : Toy.Alignment).Select(Toy.Encode)]);
            return (double)ResponseLoss.Divergence(m, teacher, batch).item<float>();
        });

        var (free, held) = (Divergence(null), Divergence(Hook(new() { Lambda = 30, Compared = compared })));
        Assert.True(held < 0.5 * free, $"found {held} nats under the penalty and {free} without");
    }

    [Fact]
    public void Full_tuning_and_adapters_are_held() => HookChecks.LeavesPlainTuningBehind(() => Hook(new()));

    [Fact]
    public void It_resumes_and_leaves_nothing() => HookChecks.ResumesAndLeavesNothing(() => Hook(new() { Compared = KlRows.Alignment }));

    [Fact]
    public void Without_alignment_rows_to_compare_on_the_error_says_so() =>
        HookChecks.SaysThatRowsAreMissing(new Kl(new() { Compared = KlRows.Alignment }), Toy.Context() with { Alignment = [] });

    private static TrainingHook Hook(KlSettings settings) => new Kl(settings).CreateHook(Toy.Context());
}
