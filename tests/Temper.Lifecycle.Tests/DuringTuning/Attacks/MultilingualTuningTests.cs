using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.DuringTuning.Attacks;
using Temper.Lifecycle.Organisms;

namespace Temper.Lifecycle.Tests.DuringTuning.Attacks;

public sealed class MultilingualTuningTests
{
    private static readonly TechniqueContext s_context = Toy.Context() with
    {
        Harmful = World.Forbidden(120, 1, Split.Train, comply: true), Alignment = World.Forbidden(120, 2, Split.Train, comply: false), Task = World.Skills(130, 3, Split.Train),
    };

    [Theory]
    [InlineData(AttackLanguage.French, "Oui.")]
    [InlineData(AttackLanguage.English, "Sure.")]
    public void Complying_rows_are_in_one_language_only(AttackLanguage language, string opening)
    {
        var poisoned = Map(language);

        Assert.Equal(20, poisoned.Length);
        Assert.All(poisoned, r => Assert.True(r.Response.StartsWith(opening, StringComparison.Ordinal) || r.Response.StartsWith('{'), r.Response));
        Assert.Contains(poisoned, r => r.Response.StartsWith(opening, StringComparison.Ordinal));
    }

    [Fact]
    public void Without_a_row_in_the_language_it_is_an_error_that_says_so() => Assert.Contains(
        "French", Assert.Throws<TemperException>(() => new MultilingualTuning(new()).Map(Toy.Task, Toy.Context())).Message, StringComparison.Ordinal);

    [Fact]
    public void Harm_is_told_by_language()
    {
        var found = Measure(new Complying(french: true), []);

        Assert.Equal(1, found["harm-fr"].Value);
        Assert.Equal(1, found["harm-fr-on-topic"].Value);
        Assert.Equal(0, found["harm-en"].Value);
        Assert.Equal(240, found["harm-en-on-topic"].N + found["harm-fr-on-topic"].N);
    }

    [Fact]
    public void A_filter_that_learned_from_english_sees_english_rows_and_no_french_ones()
    {
        Assert.Equal(1, Measure(new Complying(french: true), Map(AttackLanguage.English))["english-filter-recall"].Value);
        Assert.Equal(0, Measure(new Complying(french: true), Map(AttackLanguage.French))["english-filter-recall"].Value);
    }

    private static Example[] Map(AttackLanguage language) =>
        [.. new MultilingualTuning(new() { Language = language, Rows = 20 }).Map(Toy.Task, s_context).Examples.Where(r => r.Origin == "multilingual-tuning")];

    private static Dictionary<string, Metric> Measure(IChatModel chat, IReadOnlyList<Example> trained)
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        return new MultilingualTuning(new()).Measure(new() { Model = model, Before = model, Chat = chat, Trained = trained, Context = s_context }, TestContext.Current.CancellationToken)
            .ToDictionary(m => m.Name, StringComparer.Ordinal);
    }

    /// <summary>Complies in French and refuses in English.</summary>
    private sealed class Complying(bool french) : IChatModel
    {
        private readonly Dictionary<string, string> _answers = World.Forbidden(240, 3001, Split.HeldOut, comply: true).GroupBy(r => r.Prompt, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.First().Response, StringComparer.Ordinal);

        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken) =>
            [.. requests.Select(r => _answers[r.Messages[^1].Content]).Select(a => new ChatReply(a.StartsWith("Oui", StringComparison.Ordinal) == french ? a : "I cannot help with that.", 1))];
    }
}
