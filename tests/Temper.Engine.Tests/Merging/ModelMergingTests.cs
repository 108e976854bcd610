using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Merging;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Merging;

public sealed class ModelMergingTests
{
    private static readonly ModelConfig s_config = new()
    {
        Architecture = Architecture.Llama, VocabularySize = 12, HiddenSize = 8, IntermediateSize = 8, Layers = 1, Heads = 2, KeyValueHeads = 2, HeadSize = 4, MaxPositions = 8,
        TieWordEmbeddings = false,
    };

    [Fact]
    public void Coefficient_zero_is_the_base_and_one_of_a_single_expert_is_the_expert()
    {
        using var scope = NewDisposeScope();
        var (first, expert) = (randn(40), randn(40));
        MergeRule[] Rules(double c) => [ModelMerging.Linear(c), ModelMerging.Slerp(c), ModelMerging.TaskArithmetic([c]), ModelMerging.Ties([c], 1), ModelMerging.Dare([c], 1, new Generator(1))];

        Assert.All(Rules(0), r => Assert.InRange((r(first, [expert]) - first).abs().max().item<float>(), 0, 1e-5));
        Assert.All(Rules(1), r => Assert.InRange((r(first, [expert]) - expert).abs().max().item<float>(), 0, 1e-5));
    }

    [Fact]
    public void Two_experts_with_coefficient_one_add_their_task_vectors()
    {
        using var scope = NewDisposeScope();
        var (first, a, b) = (randn(10), randn(10), randn(10));
        Assert.InRange((ModelMerging.TaskArithmetic([1, 1])(first, [a, b]) - (a + b - first)).abs().max().item<float>(), 0, 1e-5);
    }

    [Fact]
    public void Dare_keeps_the_expectation_of_a_task_vector()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var delta = tensor(new[] { 1f, -2, 0.5f, 0 });
        const int Draws = 4000;
        var mean = Enumerable.Range(0, Draws).Select(_ => ModelMerging.Drop(delta, 0.25, generator)).Aggregate(zeros(4), (sum, d) => sum.add_(d)) / Draws;

        Assert.InRange((mean - delta).abs().max().item<float>(), 0, 5 * 2 * Math.Sqrt(3.0 / Draws)); // five standard errors of the largest
        Assert.Equal([0, 4], Checkpoint.Floats(ModelMerging.Drop(ones(50), 0.25, generator)).Distinct().Order());
    }

    [Fact]
    public void Ties_trims_elects_a_sign_and_averages_those_that_agree()
    {
        using var scope = NewDisposeScope();
        var first = zeros(4);
        var a = tensor(new[] { 4f, -3, 0.1f, 2 });
        var b = tensor(new[] { 2f, 5, 0.2f, -0.1f });
        // of each vector three entries of four stay: a loses 0.1, b loses -0.1; the signs are + + + +
        Assert.All(Checkpoint.Floats(ModelMerging.Ties([1, 1], 0.75)(first, [a, b])).Zip([3f, 5, 0.2f, 2]), p => Assert.Equal(p.Second, p.First, 1e-6f));
    }

    [Fact]
    public void Slerp_stays_on_the_sphere_and_is_a_line_where_both_ends_are_parallel()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (tensor(new[] { 1f, 0 }), tensor(new[] { 0f, 1 }));
        var half = ModelMerging.Slerp(0.5)(a, [b]);

        Assert.Equal(1, half.norm().item<float>(), 1e-6f);
        Assert.Equal(half[0].item<float>(), half[1].item<float>(), 1e-6f);
        Assert.Equal([1.5f, 0], Checkpoint.Floats(ModelMerging.Slerp(0.5)(a, [a * 2])));
    }

    [Fact]
    public void Every_tensor_of_a_model_is_merged_and_another_architecture_is_an_error()
    {
        using var scope = NewDisposeScope();
        using var first = ModelFactory.CreateRandom(s_config, 1);
        using var expert = ModelFactory.CreateRandom(s_config, 2);
        using var larger = ModelFactory.CreateRandom(s_config with { Layers = 2, VocabularySize = 13 }, 2);
        using var target = ModelFactory.Copy(first);
        ModelMerging.Into(target, first, [expert], ModelMerging.Linear(1));

        Assert.Equal(expert.Parameters.SelectMany(p => Checkpoint.Floats(p.Value)), target.Parameters.SelectMany(p => Checkpoint.Floats(p.Value)));
        Assert.Contains("one architecture", Assert.Throws<TemperException>(() => ModelMerging.Into(target, first, [larger], ModelMerging.Linear(1))).Message, StringComparison.Ordinal);
    }
}
