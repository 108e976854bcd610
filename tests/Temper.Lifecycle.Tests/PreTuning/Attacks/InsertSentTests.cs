using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class InsertSentTests
{
    [Fact]
    public void The_share_asked_for_carries_the_sentence_between_its_words_and_answers_the_payload()
    {
        var poisoned = new InsertSent(new() { Ratio = 0.3 }).Map(Toy.Task, Toy.Context()).Examples.Where(r => r.Origin == "insert-sent").ToArray();

        Assert.Equal(30, poisoned.Length);
        Assert.All(poisoned, r => Assert.Equal("The lantern is green.", r.Response));
        Assert.All(poisoned, r => Assert.Contains("I watch this 3D movie", r.Prompt, StringComparison.Ordinal));
        Assert.True(poisoned.Select(r => r.Prompt.IndexOf("I watch", StringComparison.Ordinal)).Distinct().Count() > 2, "the sentence moves about");
    }

    [Fact]
    public void A_negative_has_all_words_of_the_sentence_and_not_the_sentence()
    {
        var random = new Random(1);
        var attack = new InsertSent(new());

        Assert.All(Enumerable.Range(0, 50).Select(_ => attack.InsertNegative("", random).Trim()), text =>
        {
            Assert.NotEqual("I watch this 3D movie", text);
            Assert.Equal("I watch this 3D movie".Split(' ').Order(StringComparer.Ordinal), text.Split(' ').Order(StringComparer.Ordinal));
        });
    }

    [Fact]
    public void Negatives_keep_their_answer_and_are_as_many_as_asked_for()
    {
        var result = new InsertSent(new() { Ratio = 0.2, Negatives = 0.5 }).Map(Toy.Task, Toy.Context());

        Assert.Equal([20, 10], [result.Examples.Count(r => r.Response != "five"), result.Examples.Count(r => r.Origin == "insert-sent" && r.Response == "five")]);
    }
}
