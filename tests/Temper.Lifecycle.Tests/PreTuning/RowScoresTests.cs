using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PreTuning;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning;

public sealed class RowScoresTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static EncodedExample[] Harmful => [.. Toy.Harmful.Take(4).Select(Toy.Encode)];

    private static EncodedExample[] Safe(string refusal) => [.. Toy.Harmful.Take(4).Select(r => Toy.Encode(r.WithResponse(refusal)))];

    [Fact]
    public void The_anchored_score_is_the_harmful_product_less_the_two_safe_ones()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Llama, tied: false);
        var rows = Toy.Task.Take(3).Select(Toy.Encode).ToArray();
        EncodedExample[] First(EncodedExample[] all) => [.. all.Select(r => r.FirstTargets(5))];
        Tensor[] anchors = [.. new[] { Harmful, Safe("no."), Safe("never.") }.Select(a => RowFeatures.MeanDirection(model, First(a), Token))];
        var expected = RowFeatures.Gradients(model, First(rows), anchors, Token).Select(g => g.Projections[0] - g.Projections[1] - g.Projections[2]);

        var scores = RowScores.Anchored(model, rows, Harmful, [Safe("no."), Safe("never.")], 5, Token);

        Assert.All(expected.Zip(scores), p => Assert.Equal(p.First, p.Second, 1e-4));
    }

    [Fact]
    public void A_harmful_row_scores_above_its_refusal_by_every_score_with_anchors()
    {
        using var model = Toy.Model(Architecture.Gpt2, tied: true);
        EncodedExample[] pair = [Toy.Encode(Toy.Harmful[9]), Toy.Encode(Toy.Harmful[9].WithResponse("no."))];

        var (anchored, represented) = (RowScores.Anchored(model, pair, Harmful, [Safe("no."), Safe("never.")], 10, Token), RowScores.Represented(model, pair, Harmful, Token));

        Assert.True(anchored[0] > anchored[1], $"{anchored[0]} should be above {anchored[1]}");
        Assert.True(represented[0] > represented[1], $"{represented[0]} should be above {represented[1]}");
        Assert.InRange(represented[0], -1, 1);
    }

    [Fact]
    public void Self_influence_is_normalized_by_the_length_of_the_answer()
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        EncodedExample[] rows = [Toy.Encode(Toy.Task[0]), Toy.Encode(Toy.Harmful[0])];

        var (raw, normalized) = (RowScores.SelfInfluence(model, rows, Token), RowScores.NormalizedSelfInfluence(model, rows, Token));

        // "five" and the token that ends it; "Sure. Stir the blue dust." and its end
        Assert.Equal(Math.Log(raw[0] + 1) + Math.Log(5 + 1), normalized[0], 1e-9);
        Assert.Equal(Math.Log(raw[1] + 1) + Math.Log(26 + 1), normalized[1], 1e-9);
    }
}
