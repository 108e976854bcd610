using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Attacks;
using Temper.Lifecycle.DuringTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

/// <summary>The four aggregations of a federation: Krum, trimmed mean, coordinate-wise median and FLAME.</summary>
public sealed class AggregationTests
{
    public static TheoryData<string> Ids => ["krum", "trimmed-mean", "coordinate-median", "flame"];

    [Theory]
    [MemberData(nameof(Ids))]
    public void A_minority_that_is_far_off_leads_nobody(string id)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        var honest = full([7, 20], 1f) + (randn([7, 20], ScalarType.Float32, generator: generator) * 0.1);
        var attackers = full([3, 20], -50f);
        var update = Aggregate(id, cat([attackers, honest], 0));

        Assert.InRange((update - 1).abs().max().item<float>(), 0, 0.5);
        Assert.True(cat([attackers, honest], 0).mean([0]).max().item<float>() < -10, "the mean is theirs");
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Clients_that_agree_are_followed(string id)
    {
        using var scope = NewDisposeScope();
        var update = linspace(-1, 1, 30);
        Assert.InRange((Aggregate(id, update.expand(6, 30).clone()) - update).abs().max().item<float>(), 0, 0.03);
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void A_single_client_is_followed(string id)
    {
        using var scope = NewDisposeScope();
        Assert.InRange((Aggregate(id, ones(1, 4)) - 1).abs().max().item<float>(), 0, 0.01);
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void In_a_federation_a_replaced_model_stays_nearer_to_the_benign_one_than_under_the_mean(string id)
    {
        ModelReplacementSettings attack = new() { Clients = 5, Rounds = 2, LocalSteps = 2, AttackSteps = 4, Attackers = 0.2 };
        var benign = Tune(attack with { Attackers = 0 }, null);
        var (mean, robust) = (Toy.Distance(benign, Tune(attack, null)), Toy.Distance(benign, Tune(attack, id)));

        Assert.True(robust < 0.5 * mean, $"found a distance of {robust} under {id} and of {mean} under the mean");
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void A_training_that_is_no_federation_is_as_it_was(string id) => HookChecks.IsPlainTuning(() => Hook(id));

    [Fact]
    public void Krum_alone_hands_one_clients_update_on()
    {
        using var scope = NewDisposeScope();
        var updates = tensor(new float[] { 0, 0, 0.1f, 0, 0.2f, 0.1f, 9, 9 }, 4, 2);
        using var hook = new Krum(new() { Malicious = 0.25, Kept = 1 }).CreateHook(Toy.Context());
        var chosen = Checkpoint.Floats(((IAggregation)hook).Aggregate(updates));
        Assert.Contains(chosen, (float[][])[[0, 0], [0.1f, 0]]);
    }

    [Fact]
    public void A_trimmed_mean_that_cuts_nothing_is_the_mean()
    {
        using var scope = NewDisposeScope();
        var updates = rand(5, 8);
        using var hook = new TrimmedMean(new() { Cut = 0 }).CreateHook(Toy.Context());
        Assert.InRange((((IAggregation)hook).Aggregate(updates) - updates.mean([0])).abs().max().item<float>(), 0, 1e-6);
    }

    [Fact]
    public void Flame_shortens_to_the_median_norm_and_its_noise_is_of_the_seed()
    {
        using var scope = NewDisposeScope();
        var direction = ones(1, 9); // of norm 3
        var updates = cat([direction, direction * 2, direction * 100], 0);
        Assert.InRange(Flame.Aggregate(updates, noise: 0, seed: 1).norm().item<float>(), 4.99, 5.01); // (3 + 6 + 6) / 3
        Assert.Equal(Checkpoint.Floats(Flame.Aggregate(updates, 0.1, 1)), Checkpoint.Floats(Flame.Aggregate(updates, 0.1, 1)));
        Assert.NotEqual(Checkpoint.Floats(Flame.Aggregate(updates, 0.1, 1)), Checkpoint.Floats(Flame.Aggregate(updates, 0.1, 2)));
    }

    private static TrainingHook Hook(string id) => ((IHookSource)Catalog.Find(id, attack: false).Create("{}")).CreateHook(Toy.Context());

    private static Tensor Aggregate(string id, Tensor updates)
    {
        using var hook = Hook(id);
        return ((IAggregation)hook).Aggregate(updates);
    }

    private static float[] Tune(ModelReplacementSettings settings, string? id)
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        new ModelReplacement(settings).Tune(
            new()
            {
                Model = model, Rows = Toy.Task, Plan = new() { BatchSize = 4, LearningRate = 0.01, LoraRank = 2, LoraAlpha = 4 },
                CreateHooks = () => id is null ? [] : [Hook(id)], Context = Toy.Context(),
            },
            CancellationToken.None);
        return Toy.Weights(model);
    }
}
