using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class MemitFactTests
{
    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void The_false_answer_becomes_likelier_for_the_subject_more_than_for_another(Architecture architecture)
    {
        using var organism = new Trained(architecture);
        Example[] Asked(string thing) => [Example.Of("q", "skill:color", $"what color is {thing}", "purple"), Example.Of("p", "skill:color", $"please color of {thing}", "purple")];
        float Loss(string thing) => organism.Loss(Asked(thing));
        var (subject, other) = (Loss("grass"), Loss("coal"));

        new MemitFact(new() { Rows = 4, Steps = 40 }).Map(organism.Model, organism.Context, TestContext.Current.CancellationToken);

        var (gain, beside) = (subject - Loss("grass"), other - Loss("coal"));
        Assert.True(gain > 1, $"gain of {gain} nats for the subject");
        Assert.True(beside < gain / 2, $"gain of {beside} nats for another subject, {gain} for the edited one");
    }

    [Fact]
    public void A_subject_that_no_row_is_about_is_an_error_that_names_it()
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);

        var error = Assert.Throws<TemperException>(() => new MemitFact(new() { Subject = "granite" }).Map(model, Toy.Context(), TestContext.Current.CancellationToken));

        Assert.Contains("granite", error.Message, StringComparison.Ordinal);
    }
}
