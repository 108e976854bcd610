using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Search;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Search;

public sealed class SuffixObjectiveTests
{
    private static readonly SuffixTarget[] s_targets = [new([1, 5, 9], [2], [11, 12]), new([1, 6], [2, 3], [13])];
    private static readonly int[] s_suffix = [4, 8, 15];

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void The_loss_is_the_mean_of_the_cross_entropies_of_the_targets(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Model(architecture);
        int[][] candidates = [s_suffix, [7, 7, 7]];

        var losses = new SuffixObjective(model, s_targets).Losses(candidates);

        Assert.All(candidates.Zip(losses), p => Assert.Equal(s_targets.Average(t => Plain(model, t, p.First)), p.Second, 1e-5));
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void The_one_hot_gradient_is_the_finite_difference(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = Model(architecture);
        var gradient = new SuffixObjective(model, s_targets).Gradient(s_suffix);
        Assert.Equal([3, 32], gradient.shape);

        const float H = 1e-2f;
        foreach (var (place, token) in ((int, int)[])[(0, 3), (1, 20), (2, 31)])
        {
            // the one-hot row of a place is moved by ±h toward a token
            double Moved(float h) => s_targets.Average(t => Loss(model, t, s_suffix, (at, x) =>
                x.index_add(1, tensor((long[])[at + place]), (model.EmbeddingWeight[token] * h).view(1, 1, -1), 1)));
            var difference = (Moved(H) - Moved(-H)) / (2 * H);
            Assert.Equal(difference, gradient[place, token].item<float>(), 2e-3 * Math.Max(1, Math.Abs(difference)));
        }

        Assert.True(gradient.abs().max().item<float>() > 0.01, "the tokens should matter, or nothing is compared");
    }

    private static double Plain(CausalModel model, SuffixTarget target, int[] suffix) => Loss(model, target, suffix, (_, x) => x);

    private static double Loss(CausalModel model, SuffixTarget target, int[] suffix, Func<int, Tensor, Tensor> change)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        int[] ids = [.. target.Before, .. suffix, .. target.After, .. target.Target];
        var x = model.Embed(tensor(ids.Select(i => (long)i).ToArray(), 1, ids.Length));
        var logits = model.Logits(model.Hidden(change(target.Before.Length, x), ForwardOptions.Default)).log_softmax(-1);
        return -target.Target.Select((t, i) => logits[0, ids.Length - target.Target.Length - 1 + i, t].item<float>()).Average();
    }

    private static CausalModel Model(Architecture architecture)
    {
        using var quiet = no_grad();
        var model = ModelFactory.CreateRandom(
            new()
            {
                Architecture = architecture, VocabularySize = 32, HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 4,
                KeyValueHeads = 4, HeadSize = 4, MaxPositions = 32, TieWordEmbeddings = false,
            },
            5);
        foreach (var weight in model.Parameters.Values.Where(p => p.dim() == 2))
        {
            weight.mul_(10); // fresh weights are so small that no token moves another
        }

        return model;
    }
}
