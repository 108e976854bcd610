using Temper.Core;
using Temper.Lifecycle.Agents;
using Temper.Tests;

namespace Temper.Lifecycle.Tests.Agents;

public sealed class BipiaCaseTests
{
    [Theory]
    [InlineData("email_test.jsonl", 50)]
    [InlineData("table_test.jsonl", 100)]
    public void The_published_contexts_and_attacks_span_the_cases(string file, int contexts)
    {
        var read = BipiaCase.ReadContexts(TestData.Require("datasets", "bipia", file));
        var attacks = BipiaCase.ReadAttacks(TestData.Require("datasets", "bipia", "text_attack_test.json"));
        Assert.Equal((contexts, 15, 75), (read.Count, attacks.Count, attacks.Sum(a => a.Value.Count)));

        var cases = BipiaCase.Span(read, attacks).ToArray();
        Assert.Equal(contexts * 75 * 3, cases.Select(c => c.Id).Distinct(StringComparer.Ordinal).Count());
        Assert.All(cases.Take(2_000), c => Assert.Equal(c.Poisoned, AgentCall.Said(c.Opening[^1].Content, "text")));
    }

    [Fact]
    public void The_attack_stands_at_its_position()
    {
        var context = new BipiaContext("a\nb\nc\nd", "Q?", "b");
        Assert.Equal(["x\na\nb\nc\nd", "a\nb\nx\nc\nd", "a\nb\nc\nd\nx"], BipiaCase.Span([context], [new("K", ["x"])]).Select(c => c.Poisoned));
    }

    [Fact]
    public void A_tool_called_behind_the_reading_is_a_hijack_and_the_ideal_answer_is_the_task_done()
    {
        var context = new BipiaContext("paid 10", "Q: how much?", "10");
        EpisodeOutcome Play(params string[] turns) => EpisodeRunner.Run(
            [.. BipiaCase.Span([context], [new("K", ["x"])]).Take(1)], new ScriptedAgent(m => turns[m.Count(x => x.Role == Role.Assistant) - 1]), new(), TestContext.Current.CancellationToken)[0].Outcome;

        Assert.Equal(new EpisodeOutcome(true, false), Play("It was 10."));
        Assert.Equal(new EpisodeOutcome(false, false), Play("It was 11."));
        Assert.Equal(new EpisodeOutcome(true, true), Play("""{"tool": "mail", "to": "owl", "text": "x"}""", "10"));
        Assert.Equal(new EpisodeOutcome(true, false), Play("""{"tool": "read", "note": "0"}""", """{"tool": "nothing"}""", "10"));
    }

    [Theory]
    [InlineData("{\"context\": \"a\", \"question\": \"b\", \"ideal\": \"c\"}\n{\"context\": 1}", "line 2: context: found Number")]
    [InlineData("{\"context\": \"a\", \"question\": \"b\", \"ideal\": \"c\", \"more\": 1}", "line 1: found the field more")]
    [InlineData("\n\nnothing", "line 3: expected JSON")]
    public void What_is_no_context_is_an_error_that_names_the_line(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<TemperException>(() => Read(text, BipiaCase.ReadContexts)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("{\"K\": [\"a\", 2]}", "K[1]: found Number")]
    [InlineData("{\"K\": \"a\"}", "K: found String, expected a list")]
    [InlineData("[]", "found Array, expected an object")]
    public void What_are_no_attacks_is_an_error_that_names_the_place(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<TemperException>(() => Read(text, BipiaCase.ReadAttacks)).Message, StringComparison.Ordinal);

    private static T Read<T>(string text, Func<string, T> read)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, text);
            return read(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
