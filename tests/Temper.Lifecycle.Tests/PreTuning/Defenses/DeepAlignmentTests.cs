using Temper.Engine.Training;
using Temper.Lifecycle.PreTuning.Defenses;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class DeepAlignmentTests
{
    private static readonly EncodedExample s_answer = new([5, 6, 1, 21, 22, 23, 0], [false, false, false, true, true, true, true], "row");

    private static readonly EncodedExample s_refusal = new([5, 6, 1, 31, 32, 0], [false, false, false, true, true, true], "row");

    [Theory]
    [InlineData(0, new[] { 5, 6, 1, 31, 32, 0 })]
    [InlineData(2, new[] { 5, 6, 1, 21, 22, 31, 32, 0 })]
    [InlineData(9, new[] { 5, 6, 1, 21, 22, 23, 31, 32, 0 })] // never the token that ends the answer
    public void The_refusal_follows_the_first_tokens_of_the_answer_and_alone_is_supervised(int tokens, int[] expected)
    {
        var row = DeepAlignment.Recover(s_answer, s_refusal, tokens);

        Assert.Equal(expected, row.Ids);
        Assert.Equal([31, 32, 0], row.Ids.Where((_, i) => row.Supervised[i]));
    }

    [Fact]
    public void A_refusal_is_likelier_behind_the_beginning_of_an_answer_than_after_the_control()
    {
        var settings = new DeepAlignmentSettings { Steps = 40, BatchSize = 8, LearningRate = 1e-2, Share = 1 };

        Assert.True(Loss(settings) < Loss(settings with { Depth = 0 }) - 0.02);

        static float Loss(DeepAlignmentSettings settings)
        {
            using var quiet = TorchSharp.torch.no_grad();
            using var scope = TorchSharp.torch.NewDisposeScope();
            using var model = Toy.Model(Engine.Models.Architecture.Llama, tied: false);
            new DeepAlignment(settings).Map(model, Toy.Context(), TestContext.Current.CancellationToken);
            var begun = Toy.Harmful.Select(r => DeepAlignment.Recover(Toy.Encode(r), Toy.Encode(r.WithResponse(Toy.Alignment[0].Response)), 5).FirstTargets(2));
            return ResponseLoss.Mean(model, Batch.Of([.. begun])).item<float>();
        }
    }
}
