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
