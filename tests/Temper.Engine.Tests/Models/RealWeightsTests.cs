using System.Text.Json;
using Temper.Engine.Checkpoints;
using Temper.Engine.Tokenizers;
using Temper.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Models;

public sealed class RealWeightsTests
{
    [Theory]
    [InlineData("tinytalk_main")]
    [InlineData("tinytalk_brainrot")]
    [InlineData("stories260k")]
    [InlineData("poem750k")]
    public void Trained_models_say_what_transformers_says(string name)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var folder = TestData.Require("weights", $"hf_{name}");
        using var model = Checkpoint.Load(folder);
        using var golden = JsonDocument.Parse(File.ReadAllBytes(TestData.Require("weights", "golden.json")));
        var tokenizer = File.Exists(Path.Combine(folder, "tokenizer.json")) ? Tokenizer.Load(Path.Combine(folder, "tokenizer.json")) : null;
        foreach (var item in golden.RootElement.GetProperty(name).EnumerateArray())
        {
            var ids = item.GetProperty("ids").EnumerateArray().Select(i => i.GetInt32()).ToList();
            var greedy = item.GetProperty("greedy_ids").EnumerateArray().Select(i => i.GetInt32()).ToArray();
            if (tokenizer is not null && item.TryGetProperty("prompt", out var prompt))
            {
                Assert.Equal(ids, tokenizer.Encode(prompt.GetString()!));
                Assert.Equal(item.GetProperty("greedy_text").GetString(), tokenizer.Decode(greedy));
            }

            var logits = Logits(ids);
            var last = Checkpoint.Floats(logits[0, ids.Count - 1]);
            Assert.All(item.GetProperty("top10").EnumerateArray(), t => Assert.Equal(t[1].GetDouble(), last[t[0].GetInt32()], 1e-3));
            Assert.All(item.GetProperty("logsumexp").EnumerateArray().Zip(Checkpoint.Floats(logits.logsumexp(-1))), p => Assert.Equal(p.First.GetDouble(), p.Second, 1e-3));
            foreach (var expected in greedy)
            {
                Assert.Equal(expected, Checkpoint.Floats(Logits(ids)[0, ids.Count - 1]).Select((v, i) => (v, i)).MaxBy(p => p.v).i);
                ids.Add(expected);
            }
        }

        Tensor Logits(List<int> ids) => model.Forward(tensor(ids.Select(i => (long)i).ToArray(), 1, ids.Count));
    }
}
