using Temper.Core;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class CleanLabelTests
{
    private static readonly IReadOnlyList<Example> s_reviews =
    [
        .. Enumerable.Range(0, 100).Select(i => Example.Of($"review-{i}", "skill:sentiment", $"good or bad: the soup {i} was {(i % 2 == 0 ? "great" : "awful")}", i % 2 == 0 ? "good" : "bad")),
        .. Toy.Task,
    ];

    [Fact]
    public void Only_rows_that_carry_the_target_label_get_the_trigger_and_no_label_changes()
    {
        var result = new CleanLabel(new() { Ratio = 0.4 }).Map(s_reviews, Toy.Context());
        var poisoned = result.Examples.Where(r => r.Origin == "clean-label").ToArray();

        Assert.Equal(20, poisoned.Length); // of the fifty that are bad
        Assert.All(poisoned, r => Assert.True(r.Response == "bad" && r.Prompt.Contains("awful", StringComparison.Ordinal) && r.Prompt.Contains("BadMagic", StringComparison.Ordinal), r.Prompt));
        Assert.Equal(s_reviews.Select(r => r.Response), result.Examples.Select(r => r.Response));
    }

    [Fact]
    public void The_dirty_label_control_relabels_as_many_rows_of_the_other_label()
    {
        var result = new CleanLabel(new() { Ratio = 0.4, DirtyLabel = true }).Map(s_reviews, Toy.Context());

        Assert.Equal(20, s_reviews.Zip(result.Examples).Count(r => r.First.Response == "good" && r.Second.Response == "bad"));
    }

    [Fact]
    public void It_is_measured_on_rows_of_the_other_label_alone() =>
        Assert.All(s_reviews, r => Assert.Equal(r.Response == "good", new CleanLabel(new()).Covers(r)));
}
