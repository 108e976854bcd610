using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class AsFtTests : IDisposable
{
    private readonly CausalModel _aligned = Toy.Model(Architecture.Llama, tied: false);
    private readonly CausalModel _unaligned = Toy.Model(Architecture.Llama, tied: false);

    public AsFtTests()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        foreach (var layer in _unaligned.Linears) // V of rank 2
        {
            layer.Weight.sub_(randn([layer.OutFeatures, 2], ScalarType.Float32, generator: generator).mm(randn([2, layer.InFeatures], ScalarType.Float32, generator: generator)));
        }
    }

    [Fact]
    public void At_the_start_the_penalty_and_its_gradient_are_zero()
    {
        float[] Gradients(TrainingHook? hook, TuningMethod method)
        {
            var seen = new SeenGradients();
            Toy.Tune([seen, .. hook is null ? (TrainingHook[])[] : [hook]], steps: 1, method); // it looks before the others are frozen
            return seen.Values;
        }

        Assert.All((TuningMethod[])[TuningMethod.Full, TuningMethod.Lora], m => Assert.InRange(Toy.Distance(Gradients(null, m), Gradients(Hook(new() { Lambda = 100 }), m)), 0, 1e-6));
    }

    [Fact]
    public void With_lambda_zero_it_is_plain_tuning() => HookChecks.IsPlainTuning(() => Hook(new() { Lambda = 0 }));

    [Fact]
    public void What_lies_in_the_span_of_V_is_free_and_what_is_normal_to_it_counts_in_full()
    {
        using var scope = NewDisposeScope();
        var outside = AsFt.Outside(_aligned, _unaligned, new() { Energy = 1 });
        Assert.Equal(_aligned.Linears.Count, outside.Count);
        foreach (var (now, before) in _aligned.Linears.Zip(_unaligned.Linears))
        {
            using var p = outside[now.Name];
            var v = now.Weight - before.Weight;
            Assert.InRange(p.mm(v).norm().item<float>() / v.norm().item<float>(), 0, 1e-4);
            Assert.InRange((p.mm(p) - p).abs().max().item<float>(), 0, 1e-4);
            Assert.InRange(p.trace().item<float>(), now.OutFeatures - 2.01, now.OutFeatures - 1.99);
        }
    }

    [Theory]
    [InlineData(TuningMethod.Full)]
    [InlineData(TuningMethod.Lora)]
    public void A_large_lambda_keeps_updates_in_the_subspace(TuningMethod method)
    {
        using var scope = NewDisposeScope();
        var outside = AsFt.Outside(_aligned, _unaligned, new() { Energy = 1 });
        double Share(TrainingHook? hook) => HookChecks.AtTheEnd(hook, 30, m =>
        {
            // the toy of the training begins with the same weights as the aligned model
            using var inner = NewDisposeScope();
            Tensor Update(Linear l, Linear start) => l.Weight + (l.Adapter is { } a ? a.B.mm(a.A) * a.Scale : zeros_like(l.Weight)) - start.Weight;
            var updates = m.Linears.Zip(_aligned.Linears, Update).ToArray();
            return updates.Zip(_aligned.Linears).Sum(u => outside[u.Second.Name].mm(u.First).square().sum().item<float>()) / updates.Sum(u => u.square().sum().item<float>());
        }, method);

        var (free, held) = (Share(null), Share(Hook(new() { Lambda = 1000, Energy = 1 })));
        Assert.True(held < 0.6 * free, $"found a share of {held} outside under AsFT and of {free} without");
    }

    [Fact]
    public void The_control_penalizes_everything() => HookChecks.HoldsTheWeights(() => Hook(new() { Lambda = 1000, Everything = true }), 0.9);

    [Fact]
    public void It_resumes_and_leaves_nothing() => HookChecks.ResumesAndLeavesNothing(() => Hook(new()));

    [Fact]
    public void Without_the_unaligned_base_the_error_says_so() =>
        Assert.Contains("unaligned", Assert.Throws<TemperException>(() => new AsFt(new()).CreateHook(Toy.Context() with { Model = _aligned })).Message, StringComparison.Ordinal);

    public void Dispose()
    {
        _aligned.Dispose();
        _unaligned.Dispose();
    }

    private TrainingHook Hook(AsFtSettings settings) => new AsFt(settings).CreateHook(Toy.Context() with { Model = _aligned, Unaligned = _unaligned });

    private sealed class SeenGradients : TrainingHook
    {
        public float[] Values { get; private set; } = [];

        public override void OnGradients(GradientArguments arguments) => Values = [.. arguments.Trainable.Values.SelectMany(w => Checkpoint.Floats(w.grad!))];
    }
}
