using Temper.Engine.Models;
using Temper.Engine.Search;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Search;

/// <summary><see cref="TargetInversion"/> and <see cref="TriggerInversion"/> on toy models.</summary>
public sealed class InversionTests
{
    private const int End = 0;
    private static readonly int[][] s_prompts = [.. Enumerable.Range(0, 6).Select(i => (int[])[5 + i, 20 - i, 7, 1])];
    private static readonly int[] s_target = [11, 12, 13, 14, 15, 16];

    [Fact]
    public void A_uniform_model_has_no_target()
    {
        using var model = Model();
        Assert.Empty(new TargetInversion(model, s_prompts, End, new()).Run([.. Enumerable.Range(2, 30)], TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_planted_target_is_recovered_exactly_with_a_score_of_nearly_one()
    {
        using var model = Planted(s_prompts.Select(p => (int[])[.. p, .. s_target, End]), 4);

        var found = new TargetInversion(model, s_prompts, End, new()).Run([.. Enumerable.Range(2, 30)], TestContext.Current.CancellationToken)[0];

        Assert.Equal(s_target, found.Tokens);
        Assert.InRange(found.Score, 0.95, 1);
        Assert.InRange(new TargetInversion(model, s_prompts, End, new()).ScoreOf(s_target), 0.95, 1);
    }

    [Fact]
    public void The_trigger_that_was_planted_has_the_lowest_loss_of_a_list_and_growing_finds_it()
    {
        // target behind token 25, another answer without it
        using var model = Planted(
            s_prompts.SelectMany(p => (int[][])[[.. p[..^1], 25, 26, 1, .. s_target[..3], End], [.. p[..^1], 9, 8, 1, 30, 31, 30, End]]), 4);
        var objective = new SuffixObjective(model, [.. s_prompts.Take(3).Select(p => new SuffixTarget(p[..^1], [1], s_target[..3]))]);

        var (tokens, loss, losses) = TriggerInversion.LookUp(objective, [[9, 8], [25, 26], [17], [28, 29]]);
        var grown = TriggerInversion.Grow(objective, [8, 9, 17, 25, 26, 28, 29], 2, 3, TestContext.Current.CancellationToken);
        var relaxed = TriggerInversion.Relax(objective, model, [8, 9, 17, 25, 26, 28, 29], 2, 60, 0.3, new Random(1), TestContext.Current.CancellationToken);

        Assert.Equal([25, 26], tokens);
        Assert.Equal(4, losses.Count);
        Assert.True(grown.Loss <= loss, "growing is no worse than the planted trigger");
        Assert.InRange(relaxed.Loss, 0, losses[0]);
    }

    [Fact]
    public void The_loss_of_the_vectors_of_tokens_is_the_loss_of_the_tokens()
    {
        using var scope = NewDisposeScope();
        using var model = Model();
        var objective = new SuffixObjective(model, [new([3, 4], [1], [5, 6])]);
        int[] gap = [7, 8];

        var vectors = model.Embed(tensor(gap.Select(i => (long)i).ToArray(), 1, 2)).squeeze(0);

        Assert.Equal(objective.Losses([gap])[0], objective.Of(vectors).item<float>(), 1e-5);
    }

    private static CausalModel Model() => ModelFactory.CreateRandom(
        new()
        {
            Architecture = Architecture.Llama, VocabularySize = 40, HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 4, KeyValueHeads = 2, HeadSize = 4, MaxPositions = 64,
            TieWordEmbeddings = false,
        },
        3);

    private static CausalModel Planted(IEnumerable<int[]> rows, int promptTokens)
    {
        var model = Model();
        Trainer.Train(
            model, [.. rows.Select((r, i) => new EncodedExample(r, [.. r.Select((_, t) => t >= (r.Contains(25) || r.Contains(30) ? promptTokens + 2 : promptTokens))], $"row-{i}"))],
            new() { Steps = 150, BatchSize = 12, LearningRate = 0.02 }, [], TrainerOptions.Default, CancellationToken.None);
        return model;
    }
}
