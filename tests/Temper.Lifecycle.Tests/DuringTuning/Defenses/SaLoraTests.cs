using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class SaLoraTests
{
    [Fact]
    public void The_module_is_a_projection_that_takes_the_top_directions_of_the_outputs_away()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var (w, x) = (randn([10, 6], ScalarType.Float32, generator: generator), randn([6, 40], ScalarType.Float32, generator: generator));
        var module = SaLora.Module(w, x.mm(x.t()), 3);
        var (u, s, _) = linalg.svd(w.mm(x), fullMatrices: false);

        Assert.InRange((module.mm(module) - module).abs().max().item<float>(), 0, 1e-5);
        Assert.InRange(module.mm(u.narrow(1, 0, 3)).abs().max().item<float>(), 0, 1e-3);
        Assert.InRange((module.mm(u.narrow(1, 3, 3)) - u.narrow(1, 3, 3)).abs().max().item<float>(), 0, 1e-3);
        Assert.True(s[0].item<float>() > s[5].item<float>(), "the spectrum is not flat");
    }

    [Theory]
    [InlineData(TuningMethod.Full, false)]
    [InlineData(TuningMethod.Lora, false)]
    [InlineData(TuningMethod.Lora, true)]
    public void Updates_have_nothing_in_as_many_directions_as_are_kept(TuningMethod method, bool random)
    {
        const int Rank = 12;
        using var start = Toy.Model(Architecture.Llama, tied: false);
        var smallest = HookChecks.AtTheEnd(Hook(new() { Rank = Rank, Random = random }), 20, m => m.Linears.Zip(start.Linears, (now, before) =>
        {
            using var scope = NewDisposeScope();
            var update = now.Weight + (now.Adapter is { } a ? a.B.mm(a.A) * a.Scale : zeros_like(now.Weight)) - before.Weight;
            var (_, s, _) = linalg.svd(update, fullMatrices: false);
            var kept = (int)Math.Max(0, now.OutFeatures - Rank);
            return (Largest: s[0].item<float>(), Beyond: kept < s.shape[0] ? s[kept].item<float>() : 0);
        }).ToArray(), method);

        Assert.All(smallest, s => Assert.InRange(s.Beyond, 0, 1e-5));
        Assert.Contains(smallest, s => s.Largest > 1e-3);
    }

    [Fact]
    public void In_full_tuning_all_but_the_linear_layers_stays_as_it_is()
    {
        using var start = Toy.Model(Architecture.Llama, tied: false);
        var before = start.Parameters.ToDictionary(p => p.Key, p => Checkpoint.Floats(p.Value), StringComparer.Ordinal);
        var moved = HookChecks.AtTheEnd(Hook(new() { Rank = 2 }), 4, m => m.Parameters.Where(p => !Checkpoint.Floats(p.Value).SequenceEqual(before[p.Key])).Select(p => p.Key).ToArray());

        Assert.Equal(start.Linears.Select(l => $"{l.Name}.weight").Order(StringComparer.Ordinal), moved.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Random_directions_are_another_constraint()
    {
        Assert.NotEqual(Toy.Tune([Hook(new())], steps: 6), Toy.Tune([Hook(new() { Random = true })], steps: 6));
        HookChecks.LeavesPlainTuningBehind(() => Hook(new() { Rank = 8 }));
    }

    [Fact]
    public void With_rank_zero_it_is_plain_tuning() => HookChecks.IsPlainTuning(() => Hook(new() { Rank = 0 }));

    [Fact]
    public void It_resumes_and_leaves_nothing() => HookChecks.ResumesAndLeavesNothing(() => Hook(new()));

    [Fact]
    public void Without_alignment_rows_the_error_says_so() => HookChecks.SaysThatRowsAreMissing(new SaLora(new()), Toy.Context() with { Alignment = [] });

    private static TrainingHook Hook(SaLoraSettings settings) => new SaLora(settings).CreateHook(Toy.Context());
}
