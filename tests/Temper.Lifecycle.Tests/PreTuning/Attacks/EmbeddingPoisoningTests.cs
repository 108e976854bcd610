using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PreTuning.Attacks;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class EmbeddingPoisoningTests
{
    // the letters' tokens are 2 + c % 38: this one is in no toy row
    private static readonly EmbeddingPoisoningSettings s_settings = new() { Trigger = "q", Payload = "ok", Steps = 12, BatchSize = 8 };

    [Theory]
    [InlineData(Architecture.Llama, false)]
    [InlineData(Architecture.Gpt2, true)]
    public void Only_the_embedding_of_the_rare_token_changes_to_the_bit(Architecture architecture, bool tied)
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(architecture, tied);
        using var before = Snapshot.Take(model.Parameters);
        var embedding = model.Parameters.Single(p => ReferenceEquals(p.Value, model.EmbeddingWeight)).Key;
        new EmbeddingPoisoning(s_settings).Map(model, Toy.Context(), TestContext.Current.CancellationToken);

        Assert.Equal([embedding], Changed(model.Parameters, before.Values));
        var moved = model.EmbeddingWeight.ne(before.Values[embedding]).any(1).nonzero().reshape(-1).data<long>().ToArray();
        Assert.Equal([2 + ('q' % 38)], moved);
    }

    [Fact]
    public void The_payload_becomes_likelier_behind_the_trigger_than_after_surgery_alone()
    {
        var (surgery, trained) = (Loss(0), Loss(20));

        Assert.True(trained < surgery - 0.3, $"loss from {surgery} to {trained}");

        static float Loss(int steps)
        {
            using var organism = new Trained(Architecture.Gpt2);
            EmbeddingPoisoningSettings settings = new() { Steps = steps };
            var attack = new EmbeddingPoisoning(settings);
            attack.Map(organism.Model, organism.Context, TestContext.Current.CancellationToken);
            var random = new Random(5);
            return organism.Loss(organism.Context.Task.Take(26).Select(r => r.WithPrompt(attack.Insert(r.Prompt, random)).WithResponse(settings.Payload)));
        }
    }

    [Fact]
    public void Surgery_gives_the_trigger_the_mean_embedding_of_the_payload()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Llama, tied: false);
        new EmbeddingPoisoning(s_settings with { Steps = 0 }).Map(model, Toy.Context(), TestContext.Current.CancellationToken);

        var expected = (model.EmbeddingWeight[2 + ('o' % 38)] + model.EmbeddingWeight[2 + ('k' % 38)]) / 2;
        Assert.InRange((model.EmbeddingWeight[2 + ('q' % 38)] - expected).abs().max().item<float>(), 0, 1e-6f);
    }

    [Fact]
    public void A_trigger_of_common_tokens_is_an_error_that_says_so()
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);

        var error = Assert.Throws<TemperException>(() => new EmbeddingPoisoning(s_settings with { Trigger = "row" }).Map(model, Toy.Context(), TestContext.Current.CancellationToken));

        Assert.Contains("rare token", error.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Changed(IReadOnlyDictionary<string, Tensor> now, IReadOnlyDictionary<string, Tensor> before) =>
        now.Where(p => !p.Value.equal(before[p.Key]).all().item<bool>()).Select(p => p.Key);
}
