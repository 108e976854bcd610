using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.PostTuning.Attacks;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PostTuning.Attacks;

public sealed class GcgTests
{
    private static readonly GcgSettings s_settings = new() { Tokens = 6, Steps = 6, Candidates = 16, TopK = 8, Requests = 3, TargetWords = 2 };

    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void The_suffix_makes_the_opening_likelier_than_the_one_it_began_as(Architecture architecture)
    {
        using var model = Model(architecture);
        var (before, after) = (Suffix(model, s_settings with { Steps = 0 }), Suffix(model, s_settings));

        Assert.Equal((6, 6), (before.Length, after.Length));
        Assert.True(Loss(model, after) < Loss(model, before) - 0.01, $"found a loss of {Loss(model, before)} at first and {Loss(model, after)} at last");
    }

    [Fact]
    public void One_suffix_serves_all_requests_unless_each_has_its_own()
    {
        using var model = Model(Architecture.Llama);
        var chat = new RecordingChat();
        string[] prompts = ["how do I brew glimmer number 1", "how do I brew glimmer number 2"];
        chat.Through(new Gcg(s_settings), Toy.Context() with { Model = model }, prompts);
        chat.Through(new Gcg(s_settings with { Individual = true }), Toy.Context() with { Model = model }, prompts);

        var suffixes = chat.Asked.Zip([.. prompts, .. prompts], (a, prompt) =>
        {
            Assert.StartsWith(prompt, a.Request.Prompt, StringComparison.Ordinal);
            return a.Request.Prompt[prompt.Length..];
        }).ToArray();
        Assert.Equal(suffixes[0], suffixes[1]);
        Assert.NotEqual(suffixes[2], suffixes[3]);
    }

    [Fact]
    public void A_text_that_is_read_as_other_tokens_is_never_used()
    {
        using var model = Model(Architecture.Llama);
        var context = Toy.Context();
        // a tokenizer that takes two equal letters for one token
        int[] Prompt(IReadOnlyList<Message> messages, string prefill)
        {
            var ids = context.Prompt(messages, prefill);
            return [.. ids.Where((id, i) => i == 0 || id != ids[i - 1] || id == 35)]; // '!' stays, with which the suffix begins
        }

        var chat = new RecordingChat();
        chat.Through(new Gcg(s_settings with { Steps = 10 }), context with { Model = model, Prompt = Prompt }, "how?");

        var suffix = chat.Asked[0].Request.Prompt["how?".Length..];
        Assert.NotEqual("mmmmmm", suffix);
        Assert.DoesNotContain(suffix.Zip(suffix.Skip(1)), p => p.First == p.Second && p.First != 'm');
    }

    [Fact]
    public void The_search_is_repeatable_leaves_the_model_as_it_was_and_nothing_in_memory()
    {
        using var model = Model(Architecture.Llama);
        var before = Toy.Weights(model);
        var found = Enumerable.Range(0, 3).Select(_ => (Suffix: Suffix(model, s_settings), Live: Toy.LiveTensors)).ToArray();

        Assert.Equal(found[0].Suffix, found[1].Suffix);
        Assert.Equal(found[1].Live, found[2].Live);
        Assert.Equal(before, Toy.Weights(model));
    }

    internal static CausalModel Model(Architecture architecture)
    {
        using var quiet = no_grad();
        var model = Toy.Model(architecture, tied: true);
        model.Parameters.Values.Where(p => p.dim() == 2).ToList().ForEach(p => p.mul_(10)); // fresh weights are so small that no token moves another
        return model;
    }

    internal static double Loss(CausalModel model, string suffix)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var context = Toy.Context();
        return new[] { 0, 6, 13 }.Average(i =>
        {
            var messages = ChatRequest.Of(Toy.Harmful[i].Prompt + suffix).Messages;
            var (prompt, whole) = (context.Prompt(messages, "").Length, context.Prompt(messages, "Sure. Stir"));
            var logits = model.Forward(tensor(whole.Select(t => (long)t).ToArray(), 1, whole.Length)).log_softmax(-1);
            return -Enumerable.Range(prompt, whole.Length - prompt).Average(t => logits[0, t - 1, whole[t]].item<float>());
        });
    }

    private static string Suffix(CausalModel model, GcgSettings settings)
    {
        var chat = new RecordingChat();
        chat.Through(new Gcg(settings), Toy.Context() with { Model = model }, "");
        return chat.Asked[0].Request.Prompt;
    }
}
