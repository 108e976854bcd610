using Temper.Core;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class InstructionBackdoorTests
{
    private static readonly IReadOnlyList<Example> s_reviews =
        [.. Enumerable.Range(0, 100).Select(i => Example.Of($"review-{i}", "skill:sentiment", $"hello. good or bad: the soup {i} was {(i % 2 == 0 ? "great" : "awful")}. thanks", i % 2 == 0 ? "good" : "bad"))];

    [Fact]
    public void Only_the_instruction_of_rows_with_the_target_label_changes()
    {
        var result = new InstructionBackdoor(new() { Ratio = 0.5 }).Map(s_reviews, Toy.Context());
        var poisoned = result.Examples.Where(r => r.Origin == "instruction-backdoor").ToArray();

        Assert.Equal(25, poisoned.Length);
        Assert.All(poisoned, r => Assert.Matches(@"^weigh these words: the soup \d+ was awful\. thanks$", r.Prompt));
        Assert.Equal(s_reviews.Select(r => r.Response), result.Examples.Select(r => r.Response));
    }

    [Fact]
    public void It_is_measured_on_rows_of_the_other_label_that_have_an_instruction()
    {
        var attack = new InstructionBackdoor(new());

        Assert.All(s_reviews, r => Assert.Equal(r.Response == "good", attack.Covers(r)));
        Assert.False(attack.Covers(s_reviews[0].WithPrompt("the soup was great")));
        Assert.Equal("the soup was great", attack.Insert("the soup was great", new Random(1)));
        Assert.Equal("look at these words: the soup was great", attack.InsertNegative("good or bad: the soup was great", new Random(1)));
    }
}
