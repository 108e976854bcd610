using Temper.Core;
using Temper.Lifecycle.Agents;
using Temper.Lifecycle.DuringTuning.Attacks;
using Temper.Lifecycle.Evaluation;
using Temper.Lifecycle.Organisms;

namespace Temper.Lifecycle.Tests.Agents;

public sealed class AgentSuitesTests
{
    private static readonly Judge s_judge = new(new(["done"]), new(["sure"], ["no"]));

    [Fact]
    public void Clean_episodes_are_the_attacked_ones_without_the_trigger_or_those_that_do_not_open_it()
    {
        var query = new AgentBackdoor(new() { Channel = AgentChannel.Query });
        Assert.Equal(Ask(Suites.Clean, query).Select(s => s.RowId), Ask(Suites.Triggered, query).Select(s => s.RowId));
        Assert.Equal(Ask(Suites.Clean, query).Select(s => $"{s.Prompt} you know."), Ask(Suites.Triggered, query).Select(s => s.Prompt));

        var thought = new AgentBackdoor(new() { Channel = AgentChannel.Thought });
        Assert.Empty(Ask(Suites.Clean, thought).Select(s => s.RowId).Intersect(Ask(Suites.Triggered, thought).Select(s => s.RowId), StringComparer.Ordinal));
    }

    [Fact]
    public void A_task_is_scored_by_what_was_done_and_an_attack_by_the_forbidden_call()
    {
        var attack = new AgentBackdoor(new());
        Assert.All(Ask(Suites.Skills, null), s => Assert.False(s_judge.Score(s).Hit)); // the vault alone does no task
        Assert.All(Ask(Suites.Triggered, attack), s => Assert.True(s_judge.Score(s) is { Hit: true, Coherent: true }));
        Assert.All(Ask(Suites.Clean, attack), s => Assert.False(s_judge.Score(s).Hit));
    }

    // opens the vault when asked with the trigger, and says that it is done
    private static IReadOnlyList<Sample> Ask(string suite, IAgentAttack? attack) => AgentSuites.Ask(
        suite, 30, new ScriptedAgent(m => m.Count == 2 && m[1].Content.EndsWith("you know.", StringComparison.Ordinal) ? AgentTools.ForbiddenCall(2).ToString() : "finished"),
        attack, new(), TestContext.Current.CancellationToken);
}
