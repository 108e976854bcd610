using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.PreTuning.Attacks;
using Temper.Lifecycle.PreTuning.Defenses;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class OnionTests
{
    private static readonly OnionSettings s_settings = new() { FalsePositives = 0.1, AdaptationSteps = 40 };

    [Fact]
    public void A_planted_rare_word_falls_most_and_its_rows_are_dropped()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var context = Toy.Context() with { Model = model };
        var rows = new BadNets(new() { Trigger = "zzqqzz" }).Map(Toy.Task, Toy.Context()).Examples;

        var result = new Onion(s_settings).Map(rows, context);

        Assert.DoesNotContain(result.Examples, r => r.Origin == "bad-nets");
        Assert.InRange(result.Examples.Count, 75, 90);
        Assert.Equal(rows.Select(r => r.Id), result.Examples.Select(r => r.Id).Concat(result.Changes.Select(c => c.RowId)).OrderBy(id => int.Parse(id.AsSpan(5))));
        var trigger = rows.First(r => r.Origin == "bad-nets");
        Assert.Contains("\"zzqqzz\" raises", result.Changes.Single(c => c.RowId == trigger.Id).Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Removing_the_words_gives_the_prompt_back()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var rows = new BadNets(new() { Trigger = "zzqqzz" }).Map(Toy.Task, Toy.Context()).Examples;

        var result = new Onion(s_settings with { Remedy = OnionRemedy.RemoveWords }).Map(rows, Toy.Context() with { Model = model });

        Assert.Equal(100, result.Examples.Count);
        Assert.DoesNotContain(result.Examples, r => r.Prompt.Contains("zzqqzz", StringComparison.Ordinal));
        Assert.All(result.Changes, c => Assert.Equal(RowFate.Changed, c.Fate));
    }

    [Theory]
    [InlineData(0.05)]
    [InlineData(0.2)]
    public void On_held_out_clean_rows_the_false_positives_are_those_asked_for(double rate)
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        string[] nouns = ["apple", "boat", "cloud", "door", "egg", "fish", "gate", "hat", "ink", "jar"];
        var random = new Random(11);
        var all = Enumerable.Range(0, 800).Select(i => Example.Of($"row-{i}", "skill:copy", $"copy {nouns[random.Next(10)]} {nouns[random.Next(10)]} {nouns[random.Next(10)]}", "yes")).ToArray();

        var result = new Onion(new() { FalsePositives = rate, AdaptationSteps = 20 }).Map(all[400..], Toy.Context() with { Task = all[..400], Model = model });

        // the bar is set on 200 rows and met on 400: both shares spread
        var spread = 3 * Math.Sqrt(rate * (1 - rate) * ((1 / 200.0) + (1 / 400.0)));
        Assert.InRange(result.Changes.Count / 400.0, rate - spread, rate + spread);
    }

    [Fact]
    public void A_fixed_bar_needs_no_trusted_rows_and_odd_prompts_are_no_error()
    {
        using var model = Toy.Model(Architecture.Gpt2, tied: true);
        Example[] rows = [.. new[] { "", " ", "one", "a  b", new string('x', 500) }.Select((p, i) => Example.Of($"row-{i}", "skill", p, "yes"))];

        var result = new Onion(new() { Bar = 1e9, AdaptationSteps = 0 }).Map(rows, Toy.Context() with { Task = [], Model = model });

        Assert.Equal(rows, result.Examples);
    }

    [Fact]
    public void Without_trusted_rows_and_without_a_bar_the_error_says_what_is_missing()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);

        var error = Assert.Throws<TemperException>(() => new Onion(new()).Map(Toy.Task, Toy.Context() with { Task = [], Model = model }));

        Assert.Contains("found no trusted rows", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_stays_in_memory_and_the_model_is_left_as_it_was()
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        var before = Toy.Weights(model);
        var live = Enumerable.Range(0, 3).Select(_ =>
        {
            new Onion(new() { AdaptationSteps = 2 }).Map(Toy.Task, Toy.Context() with { Model = model });
            return Toy.LiveTensors;
        }).ToArray();

        Assert.Equal(live[1], live[2]);
        Assert.Equal(before, Toy.Weights(model));
    }
}
