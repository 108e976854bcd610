using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Training;

public sealed class LatentsTests
{
    private static readonly LatentRow[] s_rows =
    [
        new(new([1, 5, 9, 2, 11, 12], [false, false, false, false, true, true], "a"), 1),
        new(new([1, 6, 2, 13], [false, false, false, true], "b"), 0),
    ];

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(1, true)]
    public void The_gradient_is_the_finite_difference(int layer, bool shared)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = ModelFactory.CreateRandom(
            new()
            {
                Architecture = Architecture.Llama, VocabularySize = 32, HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 4,
                KeyValueHeads = 2, HeadSize = 4, MaxPositions = 32, TieWordEmbeddings = false,
            },
            5);
        foreach (var weight in model.Parameters.Values.Where(p => p.dim() == 2))
        {
            weight.mul_(10);
        }

        var vectors = zeros(shared ? 2 : 4, 16); // two positions of each row
        LatentGradient At() => Latents.Gradient(model, s_rows, [new(layer, vectors)], shared);
        var gradient = At().Gradients[0];

        const float H = 1e-2f;
        foreach (var (place, dimension) in ((int, int)[])[(0, 3), (1, 7), ((int)vectors.shape[0] - 1, 11)])
        {
            float Moved(float h)
            {
                vectors[place, dimension] = h;
                var sum = At().Losses.Sum();
                vectors[place, dimension] = 0f;
                return sum;
            }

            var difference = (Moved(H) - Moved(-H)) / (2 * H);
            Assert.Equal(difference, gradient[place, dimension].item<float>(), 2e-3f * Math.Max(1, Math.Abs(difference)));
        }

        Assert.True(gradient.abs().max().item<float>() > 0.01, "the vectors should matter, or nothing is compared");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(3)]
    public void Projection_shortens_what_is_too_long_and_leaves_the_rest(double radius)
    {
        using var scope = NewDisposeScope();
        var delta = tensor(new float[] { 0.3f, 0.4f, 3, 4, 0, 0 }, 3, 2); // lengths 0.5, 5, 0
        var before = delta.clone();

        Latents.Project(delta, radius);

        var lengths = delta.norm(1).data<float>().ToArray();
        Assert.All(lengths.Zip(new[] { 0.5, 5, 0 }), p => Assert.Equal(Math.Min(p.Second, radius), p.First, 1e-6));
        Assert.True(delta.mul(before).ge(0).all().item<bool>(), "the direction should stay");
    }

    [Fact]
    public void Descent_lowers_the_loss_within_the_ball_and_a_ball_of_nothing_changes_nothing()
    {
        using var scope = NewDisposeScope();
        using var model = ModelFactory.CreateRandom(
            new()
            {
                Architecture = Architecture.Llama, VocabularySize = 32, HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 4,
                KeyValueHeads = 2, HeadSize = 4, MaxPositions = 32, TieWordEmbeddings = false,
            },
            5);
        float[] After(double radius)
        {
            FreeVectors[] vectors = [new(1, zeros(4, 16))];
            var before = Latents.Gradient(model, s_rows, vectors, shared: false).Losses.Sum();
            Latents.Descend(model, s_rows, vectors, [radius], 8, 0.25, TestContext.Current.CancellationToken);
            return [before, Latents.Gradient(model, s_rows, vectors, shared: false).Losses.Sum(), vectors[0].Values.norm(1).max().item<float>()];
        }

        var (free, none) = (After(0.5), After(0));

        Assert.True(free[1] < free[0] - 0.01, $"from {free[0]} to {free[1]}");
        Assert.InRange(free[2], 0.1f, 0.5f + 1e-5f);
        Assert.Equal(none[0], none[1]);
    }
}
