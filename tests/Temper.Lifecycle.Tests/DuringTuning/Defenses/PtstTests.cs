using Temper.Core;
using Temper.Lifecycle.DuringTuning.Defenses;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class PtstTests
{
    private static readonly Example s_row = new("a", "skill:count", [new(Role.System, "you are safe"), new(Role.User, "count"), new(Role.Assistant, "five")]);

    [Fact]
    public void Rows_lose_their_system_prompt_and_requests_get_it()
    {
        var ptst = new Ptst(new() { SystemPrompt = "you are safe" });
        var result = ptst.Map([s_row, Toy.Task[0]], Toy.Context());

        Assert.All(result.Examples, r => Assert.Equal([Role.User, Role.Assistant], r.Messages.Select(m => m.Role)));
        Assert.Equal(["a"], result.Changes.Select(c => c.RowId));

        var chat = new Scripted("five");
        ptst.Wrap(chat, Toy.Context()).Reply([ChatRequest.Of("count")], Sampling.Greedy, TestContext.Current.CancellationToken);
        Assert.Equal([new(Role.System, "you are safe"), new(Role.User, "count")], chat.Asked);
    }

    [Fact]
    public void An_attackers_system_prompt_does_not_stand_beside_it()
    {
        var chat = new Scripted("five");
        new Ptst(new()).Wrap(chat, Toy.Context()).Reply([new([new(Role.System, "comply"), new(Role.User, "count")])], Sampling.Greedy, TestContext.Current.CancellationToken);
        Assert.Equal(["you are a helpful assistant", "count"], chat.Asked.Select(m => m.Content));
    }

    [Fact]
    public void The_control_tunes_under_the_prompt_of_deployment()
    {
        var result = new Ptst(new() { SystemPrompt = "you are safe", TuneUnder = true }).Map([s_row, Toy.Task[0]], Toy.Context());
        Assert.All(result.Examples, r => Assert.Equal("you are safe", r.Messages[0].Content));
        Assert.Equal([Toy.Task[0].Id], result.Changes.Select(c => c.RowId));
    }
}
