using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Attacks;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.DuringTuning.Attacks;

/// <summary>The three attacks on a federation, which differ in one line each.</summary>
public sealed class FederationTests
{
    private static readonly ModelReplacementSettings s_small = new() { Clients = 4, Rounds = 2, LocalSteps = 2, AttackSteps = 4, Attackers = 0.25 };

    [Fact]
    public void Without_attackers_all_three_are_the_same_benign_federation()
    {
        var benign = Tune(new ModelReplacement(s_small with { Attackers = 0 }));

        Assert.Equal(benign, Tune(new ConstrainAndScale(new() { Clients = 4, Rounds = 2, LocalSteps = 2, Attackers = 0 })));
        Assert.Equal(benign, Tune(new Neurotoxin(new() { Clients = 4, Rounds = 2, LocalSteps = 2, Attackers = 0 })));
        Assert.True(Toy.Distance(Toy.Weights(Toy.Model(Architecture.Llama, tied: false)), benign) > 1e-4, "the clients train");
    }

    [Fact]
    public void A_boosted_update_carries_further_than_one_that_is_not()
    {
        var benign = Tune(new ModelReplacement(s_small with { Attackers = 0 }));
        var plain = Toy.Distance(benign, Tune(new ModelReplacement(s_small with { Boost = 1 })));
        var boosted = Toy.Distance(benign, Tune(new ModelReplacement(s_small)));

        Assert.True(boosted > 1.5 * plain, $"found a distance of {plain} without and {boosted} with the boost");
    }

    [Fact]
    public void Attackers_are_honest_before_they_begin_and_after_they_end()
    {
        var benign = Tune(new ModelReplacement(s_small with { Attackers = 0 }));
        Assert.Equal(benign, Tune(new ModelReplacement(s_small with { AttackFrom = 3 })));
        Assert.NotEqual(Tune(new ModelReplacement(s_small)), Tune(new ModelReplacement(s_small with { AttackUntil = 1 })));
    }

    [Fact]
    public void Constrained_updates_are_no_longer_than_the_bound_and_never_boosted_beyond_replacement()
    {
        Assert.Equal(0.5, ConstrainAndScale.Scale(norm: 4, allowed: 2, boost: 10));
        Assert.Equal(10, ConstrainAndScale.Scale(norm: 4, allowed: 80, boost: 10));

        var watch = new Watch();
        Tune(new ConstrainAndScale(new() { Clients = 4, Rounds = 2, LocalSteps = 2, AttackSteps = 8, Attackers = 0.25, Bound = 0.5 }), watch);
        Tune(new ModelReplacement(s_small with { AttackSteps = 8 }), watch);
        Assert.All(watch.Norms.Take(2), n => Assert.True(n[0] < n.Skip(1).Max(), $"found norms {string.Join(", ", n)}"));
        Assert.All(watch.Norms.Skip(2), n => Assert.True(n[0] > 2 * n.Skip(1).Max(), $"found norms {string.Join(", ", n)}"));
    }

    [Fact]
    public void Neurotoxin_leaves_the_coordinates_alone_that_moved_most()
    {
        using var scope = NewDisposeScope();
        var update = tensor(new[] { 0.1f, -5, 0, 3, 0.2f });
        Assert.Equal([1, 0, 1, 0, 1], Checkpoint.Floats(Neurotoxin.Mask(update, 0.6)));

        var watch = new Watch();
        Tune(new Neurotoxin(new() { Clients = 4, Rounds = 2, LocalSteps = 2, AttackSteps = 4, Attackers = 0.25, Bottom = 0.7 }), watch);
        var (first, second) = (watch.Updates[0], watch.Updates[1]); // (n, P)
        var last = first.Aggregate(new float[first[0].Length], (sum, u) => [.. sum.Zip(u, (a, b) => a + b)]).Select(Math.Abs).ToArray();
        var top = last.Select((v, i) => (v, i)).OrderByDescending(p => p.v).Take((int)(0.29 * last.Length)).Select(p => p.i);
        Assert.All(top, i => Assert.Equal(0, second[0][i]));
        Assert.Contains(second[0], v => v != 0);
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        Tune(new Neurotoxin(new() { Clients = 4, Rounds = 2, LocalSteps = 2, Attackers = 0.25 }));
        var live = Toy.LiveTensors;
        Tune(new Neurotoxin(new() { Clients = 4, Rounds = 2, LocalSteps = 2, Attackers = 0.25 }));
        Tune(new ConstrainAndScale(new() { Clients = 4, Rounds = 2, LocalSteps = 2, Attackers = 0.25 }));
        Assert.Equal(live, Toy.LiveTensors);
    }

    [Fact]
    public void Fewer_rows_than_clients_are_an_error() => Assert.Contains(
        "expected one at least", Assert.Throws<TemperException>(() => Tune(new ModelReplacement(s_small with { Clients = 101 }))).Message, StringComparison.Ordinal);

    private static float[] Tune(ITuningProcess process, params TrainingHook[] hooks)
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        TuningArguments arguments = new()
        {
            Model = model, Rows = Toy.Task, Plan = new() { BatchSize = 4, LearningRate = 0.01, LoraRank = 2, LoraAlpha = 4 }, CreateHooks = () => hooks, Context = Toy.Context(),
        };
        process.Tune(arguments, CancellationToken.None);
        return Toy.Weights(model);
    }

    /// <summary>The mean, and what it was made of.</summary>
    private sealed class Watch : TrainingHook, IAggregation
    {
        public List<float[][]> Updates { get; } = [];

        public IEnumerable<double[]> Norms => Updates.Select(u => u.Select(c => Math.Sqrt(c.Sum(v => (double)v * v))).ToArray());

        public Tensor Aggregate(Tensor updates)
        {
            Updates.Add([.. Checkpoint.Floats(updates).Chunk((int)updates.shape[1])]);
            return updates.mean([0]);
        }
    }
}
