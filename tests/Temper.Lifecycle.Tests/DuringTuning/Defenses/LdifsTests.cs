using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class LdifsTests
{
    [Fact]
    public void At_the_start_the_distance_and_its_gradient_are_zero() => HookChecks.BeginsAsPlainTuning(() => Hook(new() { Rho = 100 }));

    [Fact]
    public void With_rho_zero_it_is_plain_tuning() => HookChecks.IsPlainTuning(() => Hook(new() { Rho = 0 }));

    [Fact]
    public void There_are_features_of_every_layer_and_none_at_padding()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Gpt2, tied: true);
        var batch = Batch.Of([new([1, 2, 3, 4], [false, true, true, true], "long"), new([1, 2], [false, true], "short")]);
        var features = Ldifs.Features(model, batch, ForwardOptions.Default);

        Assert.Equal(3, features.Count);
        Assert.All(features, f => Assert.Equal([2, 4, 16], f.shape));
        Assert.All(features, f => Assert.Equal(0, f[1].narrow(0, 2, 2).abs().max().item<float>()));
        Assert.All(features, f => Assert.True(f[0].abs().max().item<float>() > 0));
    }

    [Fact]
    public void A_large_rho_keeps_the_features_where_they_were()
    {
        using var start = Toy.Model(Architecture.Llama, tied: false);
        double Moved(TrainingHook? hook) => HookChecks.AtTheEnd(hook, 20, m =>
        {
            using var scope = NewDisposeScope();
            var batch = Batch.Of([.. Toy.Harmful.Select(Toy.Encode)]);
            return (double)Ldifs.Features(m, batch, ForwardOptions.Default).Zip(Ldifs.Features(start, batch, ForwardOptions.Default), (a, b) => (a - b).norm().item<float>()).Sum();
        });

        var (free, held) = (Moved(null), Moved(Hook(new() { Rho = 1000 })));
        Assert.True(held < 0.7 * free, $"found {held} under LDIFS and {free} without");
    }

    [Fact]
    public void Full_tuning_and_adapters_are_held_on_either_rows()
    {
        HookChecks.LeavesPlainTuningBehind(() => Hook(new() { Rho = 10 }));
        HookChecks.LeavesPlainTuningBehind(() => Hook(new() { Rho = 10, OnAlignment = true }));
    }

    [Fact]
    public void It_resumes_and_leaves_nothing() => HookChecks.ResumesAndLeavesNothing(() => Hook(new() { Rho = 10, OnAlignment = true }));

    private static TrainingHook Hook(LdifsSettings settings) => new Ldifs(settings).CreateHook(Toy.Context());
}
