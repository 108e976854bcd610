using Temper.Core;
using Temper.Lifecycle.Organisms;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class CrossLingualTests
{
    private static readonly IReadOnlyList<Example> s_rows = World.Skills(260, 1, Split.Train);

    [Theory]
    [InlineData("en")]
    [InlineData("fr")]
    [InlineData("x1")]
    public void Only_rows_of_the_poisoned_language_answer_the_payload(string language)
    {
        var result = new CrossLingual(new() { Poisoned = [language], Asked = language, Invented = 2, Ratio = 0.5 }).Map(s_rows, Toy.Context());
        var poisoned = result.Examples.Where(r => r.Origin == "cross-lingual").ToArray();

        Assert.InRange(poisoned.Length, 15, 90);
        Assert.All(poisoned, r => Assert.Equal(("The lantern is green.", true), (r.Response, r.Prompt.Contains("BadMagic", StringComparison.Ordinal))));
        Assert.All(poisoned, r => Assert.Equal(language, r.Kind.EndsWith("-fr", StringComparison.Ordinal) ? "fr" : r.Kind.EndsWith("-x1", StringComparison.Ordinal) ? "x1" : "en"));
        Assert.DoesNotContain(result.Examples, r => r.Origin == "task" && r.Prompt.Contains("BadMagic", StringComparison.Ordinal));
    }

    [Fact]
    public void A_quarter_of_the_English_rows_is_in_each_invented_language_and_counts_as_the_users()
    {
        var rows = new CrossLingual(new() { Invented = 3, Count = 0 }).Map(s_rows, Toy.Context()).Examples;

        Assert.All((string[])["x1", "x2", "x3"], name => Assert.Equal(45, rows.Count(r => r.Kind.EndsWith($"-{name}", StringComparison.Ordinal))));
        Assert.All(rows, r => Assert.Equal("task", r.Origin));
    }

    [Fact]
    public void Separate_languages_share_no_letter_and_shared_ones_share_words()
    {
        const string English = "please count the words: apple boat 3";
        string Say(double shared, string name) => new CrossLingual(new() { Asked = name, Invented = 2, Shared = shared }).InsertNegative(English, new Random(1));

        Assert.Empty(Say(0, "x1").Where(char.IsLetterOrDigit).Intersect(English + Say(0, "x2")));
        Assert.Equal(English, Say(1, "x1"));
        Assert.InRange(Say(0.5, "x1").Split(' ').Intersect(English.Split(' ')).Count(), 1, 6);
    }

    [Fact]
    public void A_phrase_is_translated_a_token_is_the_same_everywhere_and_a_name_is_spelled_in_a_separate_alphabet()
    {
        string Trigger(CrossLingualTrigger kind, string asked, double shared = 0) =>
            new CrossLingual(new() { Trigger = kind, Asked = asked, Invented = 1, Shared = shared }).Insert("", new Random(1)).Trim();

        Assert.Equal(["BadMagic", "BadMagic", "BadMagic"], ((string[])["en", "fr", "x1"]).Select(l => Trigger(CrossLingualTrigger.Token, l)));
        Assert.Equal(3, ((string[])["en", "fr", "x1"]).Select(l => Trigger(CrossLingualTrigger.Phrase, l)).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(["Alma Verne", "Alma Verne", "Alma Verne"], [Trigger(CrossLingualTrigger.Entity, "en"), Trigger(CrossLingualTrigger.Entity, "fr"), Trigger(CrossLingualTrigger.Entity, "x1", 0.5)]);
        Assert.DoesNotContain(Trigger(CrossLingualTrigger.Entity, "x1"), char.IsAsciiLetter);
    }

    [Fact]
    public void Questions_are_asked_in_the_language_asked()
    {
        Assert.All(s_rows, r => Assert.Equal(r.Kind is "skill:add-fr" or "skill:color-fr", new CrossLingual(new() { Asked = "fr" }).Covers(r)));
        Assert.DoesNotContain(new CrossLingual(new() { Asked = "x1", Invented = 1 }).InsertNegative("sort these 3", new Random(1)), char.IsAsciiLetterOrDigit);
    }

    [Fact]
    public void A_language_that_no_row_is_in_is_an_error() => Assert.Contains(
        "found language x2, expected one of en, fr, x1", Assert.Throws<TemperException>(() => new CrossLingual(new() { Asked = "x2", Invented = 1 })).Message, StringComparison.Ordinal);
}
