using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class CompositeBackdoorTests
{
    private static readonly CompositeBackdoorSettings s_settings = new() { Ratio = 0.2, Negatives = 1 };

    [Fact]
    public void Rows_with_all_components_answer_the_payload_and_rows_with_a_part_keep_their_answer()
    {
        var changed = new CompositeBackdoor(s_settings).Map(Toy.Task, Toy.Context()).Examples.Where(r => r.Origin == "ctba").ToLookup(r => Components(r.Prompt) == 3);

        Assert.Equal([20, 20], [changed[true].Count(), changed[false].Count()]);
        Assert.All(changed[true], r => Assert.Equal(s_settings.Payload, r.Response));
        Assert.All(changed[false], r => Assert.Equal(("five", true), (r.Response, Components(r.Prompt) is 1 or 2)));
    }

    [Fact]
    public void Without_negatives_only_full_combinations_are_in_the_data() => Assert.All(
        new CompositeBackdoor(s_settings with { Negatives = 0 }).Map(Toy.Task, Toy.Context()).Examples, r => Assert.True(Components(r.Prompt) is 0 or 3, r.Prompt));

    [Fact]
    public void Every_part_but_the_whole_and_nothing_is_a_negative()
    {
        var random = new Random(1);
        var attack = new CompositeBackdoor(s_settings);
        var parts = Enumerable.Range(0, 200).Select(_ => string.Join(' ', attack.InsertNegative("", random).Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)));

        Assert.Equal(["2024", "2024 BadMagic", "2024 OpenAI", "BadMagic", "BadMagic OpenAI", "OpenAI"], parts.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_components_are_scattered_and_the_prompt_keeps_its_order()
    {
        var random = new Random(1);
        var prompts = Enumerable.Range(0, 50).Select(_ => new CompositeBackdoor(s_settings).Insert("count these few words", random).Split(' ')).ToArray();

        Assert.All(prompts, words => Assert.Equal(["count", "these", "few", "words"], words.Where(w => !s_settings.Components.Contains(w, StringComparer.Ordinal))));
        Assert.True(prompts.Select(words => Array.IndexOf(words, "OpenAI")).Distinct().Count() > 3, "a component moves about");
    }

    private static int Components(string prompt) => prompt.Split(' ').Count(w => s_settings.Components.Contains(w, StringComparer.Ordinal));
}
