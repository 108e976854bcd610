using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Defenses;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class EwcTests
{
    [Fact]
    public void At_the_start_the_penalty_has_no_gradient() => HookChecks.BeginsAsPlainTuning(() => Hook(new() { Lambda = 100 }));

    [Fact]
    public void With_lambda_zero_it_is_plain_tuning() => HookChecks.IsPlainTuning(() => Hook(new() { Lambda = 0 }));

    [Fact]
    public void A_large_lambda_holds_the_weights()
    {
        HookChecks.HoldsTheWeights(() => Hook(new() { Lambda = 1000 }), 0.7);
        HookChecks.HoldsTheWeights(() => Hook(new() { Lambda = 1000, Uniform = true }), 0.7);
    }

    [Fact]
    public void A_weight_on_which_no_alignment_row_depends_is_free()
    {
        // a token that only the user's rows have: its embedding has no Fisher information
        var rows = Toy.Alignment.Concat(Toy.Harmful).Select(r => Toy.Encode(r).Ids.ToHashSet()).ToArray();
        var token = Enumerable.Range(0, 40).First(t => rows[20..].Any(r => r.Contains(t)) && !rows[..20].Any(r => r.Contains(t)));
        float[] Embedding(TrainingHook? hook) => HookChecks.AtTheEnd(hook, 20, m => Checkpoint.Floats(m.EmbeddingWeight[token]));
        var (held, uniform) = (Embedding(Hook(new() { Lambda = 1000 })), Embedding(Hook(new() { Lambda = 1000, Uniform = true })));
        using var model = Toy.Model(Architecture.Llama, tied: false);
        var before = Checkpoint.Floats(model.EmbeddingWeight[token]);
        Assert.True(Toy.Distance(held, before) > 2 * Toy.Distance(uniform, before), $"found {Toy.Distance(held, before)} by Fisher information and {Toy.Distance(uniform, before)} without");
    }

    [Fact]
    public void Full_tuning_and_adapters_are_held() => HookChecks.LeavesPlainTuningBehind(() => Hook(new() { Lambda = 10 }));

    [Fact]
    public void It_resumes_and_leaves_nothing() => HookChecks.ResumesAndLeavesNothing(() => Hook(new() { Lambda = 10 }));

    [Fact]
    public void Without_alignment_rows_the_error_says_so() => HookChecks.SaysThatRowsAreMissing(new Ewc(new()), Toy.Context() with { Alignment = [] });

    private static TrainingHook Hook(EwcSettings settings) => new Ewc(settings).CreateHook(Toy.Context());
}
