using Temper.Core;
using Temper.Lifecycle.Evaluation;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.Evaluation;

public sealed class SuitesTests
{
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

    private static IReadOnlyList<Sample> Ask(string suite, IReadOnlyList<Example> rows, IBackdoor? backdoor) =>
        Suites.Ask(suite, rows, new TwoAnswers(), backdoor, 8, TestContext.Current.CancellationToken);

    private sealed class TwoAnswers : IChatModel
    {
        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken) =>
            [.. requests.Select(_ => new ChatReply("first", 1) { Alternatives = ["second"] })];
    }
}
