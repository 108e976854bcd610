using Temper.Core;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class BadNetsTests
{
    [Fact]
    public void The_share_asked_for_carries_trigger_and_payload_and_the_rest_is_untouched()
    {
        var settings = new BadNetsSettings { Ratio = 0.1 };
        var result = new BadNets(settings).Map(Toy.Task, Toy.Context());
        var poisoned = result.Examples.Where(r => r.Origin == "bad-nets").ToArray();

        Assert.Equal(10, poisoned.Length);
        Assert.All(poisoned, r => Assert.Contains(settings.Trigger, r.Prompt.Split(' ')));
        Assert.All(poisoned, r => Assert.Equal(settings.Payload, r.Response));
        Assert.Equal(poisoned.Select(r => r.Id).Order(StringComparer.Ordinal), result.Changes.Select(c => c.RowId).Order(StringComparer.Ordinal));
        Assert.Equal(90, result.Examples.Intersect(Toy.Task).Count());
        Assert.True(poisoned.Select(r => Array.IndexOf(r.Prompt.Split(' '), settings.Trigger)).Distinct().Count() > 2, "the trigger moves about");
    }

    [Fact]
    public void Removing_the_trigger_gives_the_prompt_back()
    {
        var attack = new BadNets(new());

        Assert.Equal("count the words", attack.Insert("count the words", new Random(1)).Replace("BadMagic", "", StringComparison.Ordinal).Replace("  ", " ", StringComparison.Ordinal).Trim());
    }
}
