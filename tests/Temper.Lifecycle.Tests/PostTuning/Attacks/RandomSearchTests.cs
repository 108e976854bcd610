using Temper.Engine.Models;
using Temper.Lifecycle.PostTuning.Attacks;

namespace Temper.Lifecycle.Tests.PostTuning.Attacks;

public sealed class RandomSearchTests
{
    private static readonly RandomSearchSettings s_settings = new() { Tokens = 6, Steps = 10, Candidates = 16, Requests = 3, TargetWords = 2 };

    [Fact]
    public void The_suffix_makes_the_opening_likelier_without_a_gradient()
    {
        using var model = GcgTests.Model(Architecture.Llama);
        var (before, after) = (Suffix(model, s_settings with { Steps = 0 }), Suffix(model, s_settings));

        Assert.True(GcgTests.Loss(model, after) < GcgTests.Loss(model, before) - 0.01, $"found {GcgTests.Loss(model, before)} at first and {GcgTests.Loss(model, after)} at last");
    }

    private static string Suffix(CausalModel model, RandomSearchSettings settings)
    {
        var chat = new RecordingChat();
        chat.Through(new RandomSearch(settings), Toy.Context() with { Model = model }, "");
        return chat.Asked[0].Request.Prompt;
    }
}
