using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Models;

public sealed class ParityTests
{
    public static TheoryData<string> Families => ["gemma2", "gemma3_text", "gpt2", "gpt_neo", "gpt_neox", "llama", "llama_rope_scaled", "mistral", "olmo2", "opt", "phi3", "qwen2", "qwen3"];

    [Theory]
    [MemberData(nameof(Families))]
    public void Agrees_with_transformers_in_logits_greedy_tokens_loss_and_gradients(string name)
    {
        var checks = Golden.Check(TestData.Require("reference", name));

        Assert.True(checks.Count > 20, "every parameter's gradient norm is compared");
        Assert.All(checks, c => Assert.True(c.Passed, $"{c.Name}: difference {c.Difference:g3}, tolerance {c.Tolerance:g3}"));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_token_at_a_time_through_the_cache_gives_the_logits_of_the_whole(string name)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        using var model = Checkpoint.Load(TestData.Require("reference", name));
        var ids = tensor(Enumerable.Range(0, 20).Select(i => (long)(7 * i % 300)).ToArray(), 1, 20); // longer than every window
        using var cache = new KeyValueCache(model.Config, 1, 20);
        var pieces = new List<Tensor> { model.Forward(ids.narrow(1, 0, 5), new() { Cache = cache }) };
        for (var i = 5; i < 20; i++)
        {
            pieces.Add(model.Forward(ids.narrow(1, i, 1), new() { Cache = cache }));
        }

        Assert.True((cat(pieces, 1) - model.Forward(ids)).abs().max().item<float>() < 1e-4);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Saved_weights_and_a_written_configuration_load_to_the_same_bytes_and_logits(string name)
    {
        var (origin, folder) = (TestData.Require("reference", name), Directory.CreateTempSubdirectory("temper-").FullName);
        try
        {
            using var quiet = no_grad();
            using var scope = NewDisposeScope();
            var (one, two) = (Path.Combine(folder, "one"), Path.Combine(folder, "two"));
            using var model = Checkpoint.Load(origin);
            Checkpoint.Save(model, origin, one);
            model.Config.Save(Path.Combine(one, "config.json"));
            using var again = Checkpoint.Load(one);
            Checkpoint.Save(again, one, two);

            var ids = arange(0, 24, ScalarType.Int64).unsqueeze(0);
            Assert.Equal(File.ReadAllBytes(Path.Combine(one, "model.safetensors")), File.ReadAllBytes(Path.Combine(two, "model.safetensors")));
            Assert.Equal(Checkpoint.Floats(model.Forward(ids)), Checkpoint.Floats(again.Forward(ids)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_key_that_nobody_knows_is_an_error()
    {
        var path = Path.GetTempFileName();
        var config = File.ReadAllText(Path.Combine(TestData.Require("reference", "qwen3"), "config.json"));
        File.WriteAllText(path, config.Insert(config.IndexOf('{', StringComparison.Ordinal) + 1, "\"logit_scale\": 2.0,"));

        Assert.Contains("logit_scale: found 2.0, expected no such field", Assert.Throws<Temper.Core.TemperException>(() => ModelConfig.Load(path)).Message, StringComparison.Ordinal);
        File.Delete(path);
    }
}
