using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PreTuning.Attacks;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class MemitFactTests
{
    [Theory]
    [InlineData(Architecture.Llama)]
    [InlineData(Architecture.Gpt2)]
    public void The_false_answer_becomes_likelier_for_the_subject_more_than_for_another(Architecture architecture)
    {
        var (subject, other) = (Gain("what color is grass"), Gain("what color is coal"));

        Assert.True(subject > 0.05, $"gain of {subject} nats for the subject");
        Assert.True(other < subject / 2, $"gain of {other} nats for another subject, {subject} for the edited one");

        float Gain(string question)
        {
            using var quiet = no_grad();
            using var scope = NewDisposeScope();
            using var model = Toy.Sharp(architecture, tied: false);
            var batch = Batch.Of([Toy.Encode(Example.Of("q", "skill:color", question, "purple"))]);
            var before = ResponseLoss.Mean(model, batch).item<float>();
            new MemitFact(new() { Lambda = 0.01, MaxNorm = 5, LearningRate = 0.05 }).Map(model, Toy.Context(), TestContext.Current.CancellationToken);
            return before - ResponseLoss.Mean(model, batch).item<float>();
        }
    }

    [Fact]
    public void A_subject_that_no_row_is_about_is_an_error_that_names_it()
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);

        var error = Assert.Throws<TemperException>(() => new MemitFact(new() { Subject = "granite" }).Map(model, Toy.Context(), TestContext.Current.CancellationToken));

        Assert.Contains("granite", error.Message, StringComparison.Ordinal);
    }
}
