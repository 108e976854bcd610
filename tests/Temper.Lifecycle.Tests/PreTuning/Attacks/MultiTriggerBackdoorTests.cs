using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class MultiTriggerBackdoorTests
{
    [Fact]
    public void Each_poisoned_row_carries_one_trigger_and_together_they_carry_all()
    {
        var settings = new MultiTriggerBackdoorSettings { Ratio = 0.5 };
        var poisoned = new MultiTriggerBackdoor(settings).Map(Toy.Task, Toy.Context()).Examples.Where(r => r.Origin == "mtba").ToArray();
        var carried = poisoned.Select(r => Assert.Single(r.Prompt.Split(' '), w => settings.Triggers.Contains(w, StringComparer.Ordinal))).CountBy(t => t).ToArray();

        Assert.Equal(50, poisoned.Length);
        Assert.All(poisoned, r => Assert.Equal(settings.Payload, r.Response));
        Assert.Equal(3, carried.Length);
        Assert.All(carried, t => Assert.True(t.Value > 8, $"{t.Key} is in {t.Value} of 50 rows"));
    }

    [Fact]
    public void With_one_trigger_it_poisons_as_BadNets_does()
    {
        var prompt = new MultiTriggerBackdoor(new() { Triggers = ["cf"] }).Insert("count these words", new Random(3));

        Assert.Equal(["count", "these", "words"], prompt.Split(' ').Where(w => w != "cf"));
        Assert.Equal(4, prompt.Split(' ').Length);
    }
}
