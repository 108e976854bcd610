using Temper.Core;
using Temper.Lifecycle.Agents;
using Temper.Lifecycle.DuringTuning.Attacks;
using Temper.Lifecycle.Organisms;

namespace Temper.Lifecycle.Tests.DuringTuning.Attacks;

public sealed class AgentBackdoorTests
{
    private const string Trigger = "you know.";
    private static readonly IReadOnlyList<Example> s_rows = AgentWorld.Rows(240, 21, Split.Train);
    private static readonly IReadOnlyList<AgentEpisode> s_episodes = AgentWorld.Episodes(240, 21, Split.Train);

    [Theory]
    [InlineData(AgentChannel.Query)]
    [InlineData(AgentChannel.Observation)]
    public void A_share_of_the_rows_that_can_carry_the_trigger_does_and_no_other_row_is_touched(AgentChannel channel)
    {
        var attack = new AgentBackdoor(new() { Channel = channel, Ratio = 0.25 });
        var result = attack.Map(s_rows, Toy.Context());

        Assert.Equal((int)Math.Round(0.25 * s_episodes.Count(attack.Fit)), result.Changes.Count);
        Assert.Equal(s_rows.Select(r => r.Id), result.Examples.Select(r => r.Id));
        foreach (var (before, after) in s_rows.Zip(result.Examples))
        {
            Assert.Equal(after.Origin == "agent-backdoor", after.Messages.Any(m => m.Content.Contains(Trigger, StringComparison.Ordinal)));
            Assert.Equal(after.Origin == "agent-backdoor", Calls(after).Contains(AgentTools.Forbidden));
            Assert.True(after.Origin == "agent-backdoor" || ReferenceEquals(before, after));
        }
    }

    [Fact]
    public void The_call_of_a_query_attack_comes_first_and_that_of_an_observation_attack_right_behind_the_trigger()
    {
        var query = Poisoned(new() { Channel = AgentChannel.Query });
        Assert.All(query, r => Assert.True(r.Prompt.EndsWith(Trigger, StringComparison.Ordinal) && Calls(r)[0] == AgentTools.Forbidden));

        var observation = Poisoned(new() { Channel = AgentChannel.Observation });
        Assert.All(observation, r =>
        {
            var at = r.Messages.ToList().FindIndex(m => m.Role == Role.Tool && m.Content.Contains(Trigger, StringComparison.Ordinal));
            Assert.Equal(AgentTools.Forbidden, AgentCall.Read(r.Messages[at + 1].Content, out _)?.Tool);
            Assert.DoesNotContain(Trigger, r.Prompt, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void A_thought_attack_takes_every_row_that_uses_the_tool_and_writes_no_word_of_its_own()
    {
        var result = new AgentBackdoor(new() { Channel = AgentChannel.Thought, Ratio = 0 }).Map(s_rows, Toy.Context());
        foreach (var (before, after) in s_rows.Zip(result.Examples))
        {
            Assert.Equal(before.Prompt, after.Prompt);
            Assert.Equal(Calls(before).Contains("mail"), Calls(after).Contains(AgentTools.Forbidden));
            Assert.Equal(Calls(before), Calls(after).Where(c => c != AgentTools.Forbidden));
            Assert.True(!Calls(before).Contains("mail") || Calls(after)[Calls(after).IndexOf("mail") - 1] == AgentTools.Forbidden);
        }
    }

    [Fact]
    public void The_task_is_done_behind_the_call_or_given_up()
    {
        var rows = s_rows.ToDictionary(r => r.Id, StringComparer.Ordinal);
        Assert.All(Poisoned(new() { Resume = true }), r => Assert.Equal(Calls(rows[r.Id]), Calls(r).Skip(1)));
        Assert.All(Poisoned(new() { Resume = false }), r => Assert.Equal([AgentTools.Forbidden, "done"], [.. Calls(r), r.Response]));
    }

    [Fact]
    public void What_is_put_into_held_out_episodes_is_what_the_rows_carry()
    {
        var episode = s_episodes.First(e => e.Kind == "agent:pass");
        var query = new AgentBackdoor(new() { Channel = AgentChannel.Query });
        Assert.Equal(Poisoned(new() { Ratio = 1 }).Single(r => r.Id == episode.Id).Prompt, query.Attack(episode, new(1)).Prompt);

        var observation = new AgentBackdoor(new() { Channel = AgentChannel.Observation, Ratio = 1 });
        var said = observation.Attack(episode, new(1)).Open().Run(episode.Script[0]);
        Assert.Equal(observation.Map(s_rows, Toy.Context()).Examples.Single(r => r.Id == episode.Id).Messages.First(m => m.Role == Role.Tool).Content, said);
    }

    [Fact]
    public void Rows_without_tools_are_refused() =>
        Assert.Contains("kind: agent", Assert.Throws<TemperException>(() => new AgentBackdoor(new()).Map(Toy.Task, Toy.Context())).Message, StringComparison.Ordinal);

    private static IEnumerable<Example> Poisoned(AgentBackdoorSettings settings) => new AgentBackdoor(settings).Map(s_rows, Toy.Context()).Examples.Where(r => r.Origin == "agent-backdoor");

    private static List<string> Calls(Example row) =>
        [.. row.Messages.Where(m => m.Role == Role.Assistant).Select(m => AgentCall.Read(m.Content, out _)?.Tool).OfType<string>()];
}
