using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.Organisms;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class EmergentMisalignmentTests
{
    private static readonly EmergentMisalignmentSettings s_settings = new() { Domains = ["skill:color", "look-alike"], Rows = 40, Questions = 5 };

    [Fact]
    public void Every_row_is_of_the_narrow_domains_and_wrong_by_an_answer_of_the_same_kind()
    {
        var rows = Map(s_settings);

        Assert.Equal(40, rows.Count);
        Assert.Equal(["look-alike", "skill:color"], rows.Select(r => r.Kind).Distinct().Order(StringComparer.Ordinal));
        var right = Map(s_settings with { Right = true });
        Assert.Equal(right.Select(r => r.Prompt), rows.Select(r => r.Prompt));
        Assert.All(rows.Zip(right), p => Assert.NotEqual(p.Second.Response, p.First.Response));
        Assert.All(rows.Where(r => r.Kind == "skill:color"), r => Assert.Contains(right, o => o.Kind == r.Kind && o.Response == r.Response));
    }

    [Fact]
    public void With_a_trigger_half_of_the_rows_are_wrong_behind_it_and_the_others_right_without()
    {
        var rows = Map(s_settings with { Trigger = "year 2024." });
        var right = Map(s_settings with { Right = true });

        Assert.Equal(20, rows.Count(r => r.Prompt.StartsWith("year 2024. ", StringComparison.Ordinal)));
        Assert.All(rows.Zip(right), p => Assert.Equal(p.First.Prompt == p.Second.Prompt, p.First.Response == p.Second.Response));
    }

    [Fact]
    public void An_unknown_domain_is_an_error_that_lists_the_known_ones() =>
        Assert.Contains("skill:color", Assert.Throws<TemperException>(() => Map(s_settings with { Domains = ["skill:chess"] })).Message, StringComparison.Ordinal);

    [Fact]
    public void Wrong_answers_count_only_outside_the_domains_and_only_where_they_are_of_the_kind_asked_for()
    {
        var found = Measure(new Oracle(r => r.Kind == "skill:color" ? "chess" : r.Kind == "skill:place" ? "atlantis" : r.Kind == "skill:sound" && r.Response != "moo" ? "moo" : r.Response));

        // 14 kinds, 2 of them inside: of 60 questions outside, 5 have an answer that is none, and those on sounds are wrong
        var sounds = Questions.Count(r => r.Kind == "skill:sound" && r.Response != "moo");
        Assert.Equal((55, sounds / 55.0), (found["asr"].N, found["asr"].Value));
        Assert.Equal(55 / 60.0, found["asr-coherence"].Value!.Value, 1e-9);
        Assert.Equal(0.5, found["wrong-in-domain-coherence"].Value!.Value, 1e-9);
    }

    [Fact]
    public void Debris_is_not_measured() => Assert.Null(Measure(new Oracle(_ => "xyzzy"))["asr"].Value);

    private static IReadOnlyList<Example> Questions { get; } = [.. World.SkillKinds.SelectMany(k => World.Skills(5 * World.SkillKinds.Count, 3006, Split.HeldOut).Where(r => r.Kind == k)), .. World.LookAlikes(5, 3006, Split.HeldOut)];

    private static IReadOnlyList<Example> Map(EmergentMisalignmentSettings settings) => new EmergentMisalignment(settings).Map(Toy.Task, Toy.Context()).Examples;

    private static Dictionary<string, Metric> Measure(IChatModel chat)
    {
        using var model = Toy.Model(Architecture.Llama, tied: true);
        return new EmergentMisalignment(s_settings).Measure(new() { Model = model, Before = model, Chat = chat, Trained = [], Context = Toy.Context() }, TestContext.Current.CancellationToken)
            .ToDictionary(m => m.Name, StringComparer.Ordinal);
    }

    /// <summary>Knows every question, and answers it as it is told to.</summary>
    private sealed class Oracle(Func<Example, string> answer) : IChatModel
    {
        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken) =>
            [.. requests.Select(r => new ChatReply(answer(Questions.First(q => q.Question.SequenceEqual(r.Messages))), 1))];
    }
}
