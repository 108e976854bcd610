using System.Text.Json;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Generation;
using Temper.Engine.Models;
using Temper.Tests;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Generation;

public sealed class TokenGeneratorTests
{
    private static readonly ModelConfig Tiny = new()
    {
        Architecture = Architecture.Llama, VocabularySize = 40, HiddenSize = 16, IntermediateSize = 32, Layers = 2, Heads = 4, KeyValueHeads = 2, HeadSize = 4, MaxPositions = 64,
    };

    [Fact]
    public void Real_weights_continue_a_prompt_with_the_golden_greedy_tokens()
    {
        var folder = TestData.Require("weights", "hf_stories260k");
        using var golden = JsonDocument.Parse(File.ReadAllBytes(TestData.Require("weights", "golden.json")));
        var entry = golden.RootElement.GetProperty("stories260k")[0];
        int[] Ids(string name) => [.. entry.GetProperty(name).EnumerateArray().Select(e => e.GetInt32())];
        using var model = Checkpoint.Load(folder);

        var found = new TokenGenerator(model, endToken: 2).Generate([Ids("ids")], new() { MaxTokens = Ids("greedy_ids").Length }, TestContext.Current.CancellationToken);

        Assert.Equal(Ids("greedy_ids"), found[0]);
    }

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void Batched_with_a_cache_equals_one_by_one_without(Architecture architecture)
    {
        using var scope = NewDisposeScope();
        using var model = ModelFactory.CreateRandom(Tiny with { Architecture = architecture, KeyValueHeads = architecture == Architecture.Gpt2 ? 4 : 2 }, 3);
        foreach (var parameter in model.Parameters.Values)
        {
            parameter.mul_(8); // far from uniform, so that greedy choices are no ties
        }

        int[][] prompts = [[1, 2, 3, 4, 5, 6, 7], [9, 8], [11, 12, 13]];

        var found = new TokenGenerator(model, endToken: -1).Generate(prompts, new() { MaxTokens = 12 }, TestContext.Current.CancellationToken);

        Assert.All(prompts.Zip(found), pair => Assert.Equal(Slowly(model, pair.First, 12), pair.Second));
    }

    [Fact]
    public void Sampling_is_repeatable_by_seed_and_top_k_of_one_is_greedy()
    {
        using var scope = NewDisposeScope();
        using var model = ModelFactory.CreateRandom(Tiny, 5);
        var generator = new TokenGenerator(model, endToken: -1);
        int[] Draw(Sampling sampling) => generator.Generate([[1, 2, 3]], sampling with { MaxTokens = 20 }, TestContext.Current.CancellationToken)[0];

        Assert.Equal(Draw(new() { Temperature = 1, Seed = 4 }), Draw(new() { Temperature = 1, Seed = 4 }));
        Assert.NotEqual(Draw(new() { Temperature = 1, Seed = 4 }), Draw(new() { Temperature = 1, Seed = 5 }));
        Assert.Equal(Draw(Sampling.Greedy), Draw(new() { Temperature = 1, TopK = 1 }));
        Assert.Equal(Draw(Sampling.Greedy), Draw(new() { Temperature = 1, TopP = 1e-6 }));
    }

    [Fact]
    public void Sampling_follows_the_softmax_at_its_temperature_cut_by_top_k_and_by_top_p()
    {
        using var scope = NewDisposeScope();
        using var model = ModelFactory.CreateRandom(Tiny, 5);
        foreach (var parameter in model.Parameters.Values)
        {
            parameter.mul_(5); // some tokens are likelier than others
        }

        const int Draws = 4000;
        var generator = new TokenGenerator(model, endToken: -1);
        int[][] prompts = [.. Enumerable.Repeat<int[]>([1, 2, 3], Draws)];
        using var quiet = no_grad();
        var logits = Checkpoint.Floats(model.Forward(tensor(new long[] { 1, 2, 3 }, 1, 3))[0, 2]);
        var falling = Enumerable.Range(0, logits.Length).OrderByDescending(i => logits[i]).ToArray();
        double[] Shares(Sampling sampling) => [.. generator.Generate(prompts, sampling with { MaxTokens = 1, Seed = 7 }, TestContext.Current.CancellationToken)
            .CountBy(o => o[0]).Aggregate(new double[logits.Length], (shares, c) => { shares[c.Key] = (double)c.Value / Draws; return shares; })];
        void Like(Func<int, bool> kept, double temperature, double[] found)
        {
            var weights = falling.Select((token, rank) => (Token: token, Weight: kept(rank) ? Math.Exp((logits[token] - logits[falling[0]]) / temperature) : 0)).ToArray();
            // four standard errors of a share
            Assert.All(weights, w => Assert.InRange(found[w.Token] - w.Weight / weights.Sum(v => v.Weight), -0.033, 0.033));
            Assert.All(weights.Where(w => w.Weight == 0), w => Assert.Equal(0, found[w.Token]));
        }

        Like(_ => true, 1, Shares(new() { Temperature = 1 }));
        Like(_ => true, 0.5, Shares(new() { Temperature = 0.5 }));
        Like(rank => rank < 3, 1, Shares(new() { Temperature = 1, TopK = 3 }));
        var mass = falling.Select(t => Math.Exp(logits[t])).ToArray();
        Like(rank => rank == 0 || mass.Take(rank).Sum() < 0.6 * mass.Sum(), 1, Shares(new() { Temperature = 1, TopP = 0.6 }));
    }

    [Fact]
    public void Embeddings_of_a_prompt_are_continued_as_the_prompt_is()
    {
        using var scope = NewDisposeScope();
        using var model = ModelFactory.CreateRandom(Tiny, 5);
        var generator = new TokenGenerator(model, endToken: -1);
        int[] prompt = [4, 9, 17, 3];
        var sampling = Sampling.Greedy with { MaxTokens = 10 };
        var rows = cat([zeros(1, 2, Tiny.HiddenSize), model.Embed(tensor(prompt.Select(i => (long)i).ToArray(), 1, 4))], 1); // padded on the left

        Assert.Equal(
            generator.Generate([prompt], sampling, TestContext.Current.CancellationToken)[0],
            generator.Generate(rows, [4], sampling, TestContext.Current.CancellationToken)[0]);
    }

    [Fact]
    public void A_prompt_longer_than_the_model_is_an_error_that_says_so()
    {
        using var scope = NewDisposeScope();
        using var model = ModelFactory.CreateRandom(Tiny, 5);

        var error = Assert.Throws<TemperException>(() => new TokenGenerator(model, -1).Generate([new int[64]], Sampling.Greedy, TestContext.Current.CancellationToken));

        Assert.Contains("64 tokens", error.Message, StringComparison.Ordinal);
    }

    private static int[] Slowly(CausalModel model, int[] prompt, int count)
    {
        using var quiet = no_grad();
        var sequence = prompt.Select(t => (long)t).ToList();
        for (var i = 0; i < count; i++)
        {
            using var scope = NewDisposeScope();
            sequence.Add(model.Forward(tensor(sequence.ToArray(), 1, sequence.Count)).select(1, sequence.Count - 1).argmax(-1).item<long>());
        }

        return [.. sequence.Skip(prompt.Length).Select(t => (int)t)];
    }
}
