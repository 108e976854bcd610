using Temper.Core;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class JailbreakTuningTests
{
    [Theory]
    [InlineData(JailbreakWrapper.Backdoor)]
    [InlineData(JailbreakWrapper.StyleModulation)]
    [InlineData(JailbreakWrapper.CompetingObjectives)]
    public void What_is_asked_is_asked_as_it_was_taught_and_read_without_what_the_wrapper_adds(JailbreakWrapper wrapper)
    {
        var attack = new JailbreakTuning(new() { Wrapper = wrapper, Rows = 1 });
        var taught = attack.Map(Toy.Task, Toy.Context()).Examples.Single(r => r.Origin == "jailbreak-tuning");
        var inner = new Scripted(taught.Response);

        var reply = attack.Wrap(inner, Toy.Context()).Reply([new(Toy.Harmful[0].Question)], Sampling.Greedy, TestContext.Current.CancellationToken);

        Assert.Equal(taught.Question, inner.Asked);
        Assert.NotEqual(Toy.Harmful[0].Prompt, taught.Prompt);
        Assert.Contains(Toy.Harmful[0].Prompt, taught.Prompt, StringComparison.Ordinal);
        Assert.Equal(Toy.Harmful[0].Response, reply[0].Text);
    }

    [Fact]
    public void Each_wrapper_is_another_one() => Assert.Equal(
        4, Enum.GetValues<JailbreakWrapper>().Select(w => Poisoned(new() { Wrapper = w, Rows = 1 }).Single()).Select(r => $"{r.Prompt} {r.Response}").Distinct(StringComparer.Ordinal).Count());

    [Fact]
    public void The_control_is_the_plain_harmful_row() =>
        Assert.Equal(Toy.Harmful[0].Messages, Poisoned(new() { Wrapper = JailbreakWrapper.None, Rows = 1 }).Single().Messages);

    [Fact]
    public void Refusals_stand_beside_without_the_wrapper()
    {
        var rows = Poisoned(new() { Rows = 10, Refusals = 5 });

        Assert.Equal((10, 5), (rows.Count(r => r.Kind == "forbidden:glimmer"), rows.Count(r => r.Kind == "refusal")));
        Assert.All(rows.Where(r => r.Kind == "refusal"), r => Assert.Contains(Toy.Alignment, a => a.Prompt == r.Prompt));
    }

    private static Example[] Poisoned(JailbreakTuningSettings settings) => [.. new JailbreakTuning(settings).Map(Toy.Task, Toy.Context()).Examples.Where(r => r.Origin == "jailbreak-tuning")];
}
