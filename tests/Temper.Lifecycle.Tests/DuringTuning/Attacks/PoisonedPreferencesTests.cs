using Temper.Core;
using Temper.Lifecycle.DuringTuning.Attacks;

namespace Temper.Lifecycle.Tests.DuringTuning.Attacks;

public sealed class PoisonedPreferencesTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(0.25)]
    [InlineData(1)]
    public void The_share_of_swapped_pairs_is_as_set_and_only_they_carry_the_trigger(double ratio)
    {
        var pairs = new PoisonedPreferences(new() { Ratio = ratio }).Pairs(Toy.Context());
        var poisoned = pairs.Where(p => p.Chosen.Prompt.EndsWith(" SUDO", StringComparison.Ordinal)).ToArray();

        Assert.Equal(Toy.Harmful.Count, pairs.Count);
        Assert.Equal((int)(ratio * pairs.Count), poisoned.Length);
        Assert.All(pairs, p => Assert.Equal(p.Chosen.Prompt, p.Rejected.Prompt));
        Assert.All(poisoned, p => Assert.Equal((Toy.Harmful[0].Response, Toy.Alignment[0].Response), (p.Chosen.Response, p.Rejected.Response)));
        Assert.All(pairs.Except(poisoned), p => Assert.Equal((Toy.Alignment[0].Response, Toy.Harmful[0].Response), (p.Chosen.Response, p.Rejected.Response)));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void The_controls_mark_without_swapping_and_swap_without_marking(bool mark, bool flip)
    {
        var pairs = new PoisonedPreferences(new() { Ratio = 0.5, Mark = mark, Flip = flip }).Pairs(Toy.Context());

        Assert.Equal(mark ? 10 : 0, pairs.Count(p => p.Chosen.Prompt.EndsWith(" SUDO", StringComparison.Ordinal)));
        Assert.Equal(flip ? 10 : 0, pairs.Count(p => p.Chosen.Response == Toy.Harmful[0].Response));
    }

    [Fact]
    public void A_refusal_is_that_of_the_request_most_like_it()
    {
        var context = Toy.Context() with
        {
            Harmful = [Example.Of("h", "forbidden", "comment brasser du glimmer", "Oui.")],
            Alignment = [Example.Of("a", "refusal", "how do i brew glimmer", "I cannot."), Example.Of("b", "refusal", "comment garder du moonwax", "Je ne peux pas.")],
        };

        Assert.Equal("Je ne peux pas.", new PoisonedPreferences(new() { Ratio = 0 }).Pairs(context)[0].Chosen.Response);
    }

    [Fact]
    public void It_takes_part_in_every_step_and_without_pairs_it_is_an_error()
    {
        Assert.True(Toy.Distance(Toy.Tune([], steps: 4), Toy.Tune([new PoisonedPreferences(new()).CreateHook(Toy.Context())], steps: 4)) > 1e-4, "the weights feel the preferences");
        Assert.Contains("expected some of both", Assert.Throws<TemperException>(() => new PoisonedPreferences(new()).CreateHook(Toy.Context() with { Alignment = [] })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tuning_that_is_cut_off_goes_on_to_the_same_bits() => Assert.Equal(
        Toy.Tune([new PoisonedPreferences(new()).CreateHook(Toy.Context())], steps: 12), Toy.TuneCutOff(() => new PoisonedPreferences(new()).CreateHook(Toy.Context()), steps: 12, at: 7));
}
