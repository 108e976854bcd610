using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Lifecycle.PostTuning.Attacks;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PostTuning.Attacks;

public sealed class SafetyPruningTests
{
    [Theory]
    [InlineData(Architecture.Llama, PruningMethod.Wanda)]
    [InlineData(Architecture.Llama, PruningMethod.Snip)]
    [InlineData(Architecture.Gpt2, PruningMethod.Wanda)]
    [InlineData(Architecture.Gpt2, PruningMethod.Snip)]
    public void Every_output_loses_at_most_q_of_its_weights_and_the_control_as_many(Architecture architecture, PruningMethod method)
    {
        SafetyPruningSettings settings = new() { Method = method, SafetyShare = 0.25, UtilityShare = 0.25, Rows = 6 };
        var (pruned, random) = (Zeros(architecture, settings), Zeros(architecture, settings with { Random = true }));

        Assert.Equal(pruned, random);
        Assert.Contains(pruned, z => z > 0);
        Assert.All(pruned, z => Assert.InRange(z, 0, 0.25));
        Assert.NotEqual(Pruned(architecture, settings), Pruned(architecture, settings with { Random = true }));
    }

    [Fact]
    public void Weights_that_the_task_needs_stay() => Assert.Equal(
        Toy.Weights(Toy.Model(Architecture.Llama, tied: false)), Pruned(Architecture.Llama, new() { SafetyShare = 0.3, UtilityShare = 1, Rows = 4 }));

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void Every_layer_loses_the_directions_that_are_set_and_none_where_the_task_needs_all(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        SafetyPruningSettings settings = new() { Method = PruningMethod.LowRank, Ranks = 3, UtilityRanks = 0, Rows = 4 };
        using var model = Toy.Model(architecture, tied: false);
        using var needed = Toy.Model(architecture, tied: false);
        var (before, ranks) = (Narrow(needed), model.Linears.Select(Rank).ToArray());
        new SafetyPruning(settings).Deploy(model, Toy.Context(), CancellationToken.None);

        Assert.Equal(ranks.Select(r => r - 3), model.Linears.Select(Rank));
        new SafetyPruning(settings with { UtilityRanks = 1 }).Deploy(needed, Toy.Context(), CancellationToken.None);
        Assert.InRange(Toy.Distance(before, Narrow(needed)), 0, 1e-5);
    }

    [Fact]
    public void The_gram_matrix_is_that_of_what_goes_in()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Gpt2, tied: false);
        var row = Toy.Encode(Toy.Harmful[0]);
        Tensor? hidden = null; // what goes into the last layer of the first block
        model.Forward(tensor(row.Ids.Select(i => (long)i).ToArray(), 1, row.Ids.Length), new() { Tap = (site, layer, value) => { if (site == Site.MlpHidden && layer == 0) { hidden = value.detach().clone().DetachFromDisposeScope(); } return value; } });
        var answers = hidden![0].narrow(0, row.Supervised.ToList().IndexOf(true) - 1, row.Supervised.Count(s => s)); // one place before each token of the answer
        var gram = LayerInputs.Gram(model, [row], CancellationToken.None)["transformer.h.0.mlp.c_proj"];

        Assert.InRange((gram - answers.t().mm(answers)).abs().max().item<float>(), 0, 1e-4);
        hidden.Dispose();
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        Pruned(Architecture.Llama, new() { Rows = 4 });
        var live = Toy.LiveTensors;
        Pruned(Architecture.Llama, new() { Rows = 4, Method = PruningMethod.Snip });
        Pruned(Architecture.Llama, new() { Rows = 4, Method = PruningMethod.LowRank });
        Assert.Equal(live, Toy.LiveTensors);
    }

    private static float[] Pruned(Architecture architecture, SafetyPruningSettings settings)
    {
        using var model = Toy.Model(architecture, tied: false);
        new SafetyPruning(settings).Deploy(model, Toy.Context(), CancellationToken.None);
        return Toy.Weights(model);
    }

    // the share of zeros in every output of every layer
    private static double[] Zeros(Architecture architecture, SafetyPruningSettings settings)
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(architecture, tied: false);
        new SafetyPruning(settings).Deploy(model, Toy.Context(), CancellationToken.None);
        return [.. model.Linears.SelectMany(l => Checkpoint.Floats((l.Transposed ? l.Weight.t() : l.Weight).eq(0).to(ScalarType.Float32).mean([1])).Select(s => (double)s))];
    }

    // where the outputs are no more than the inputs, all directions of the task are all there are
    private static float[] Narrow(CausalModel model) => [.. model.Linears.Where(l => l.OutFeatures <= l.InFeatures).SelectMany(l => Checkpoint.Floats(l.Weight))];

    private static int Rank(Linear layer) => Checkpoint.Floats(linalg.svdvals(layer.Weight.detach())).Count(s => s > 1e-5);
}
