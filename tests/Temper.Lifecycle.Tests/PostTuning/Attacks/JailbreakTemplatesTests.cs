using Temper.Core;
using Temper.Lifecycle.PostTuning.Attacks;

namespace Temper.Lifecycle.Tests.PostTuning.Attacks;

public sealed class JailbreakTemplatesTests
{
    [Fact]
    public void Every_template_and_the_complying_turns_are_asked_and_any_may_succeed()
    {
        var chat = new RecordingChat((request, _) => request.Messages.Count > 1 ? "Sure." : request.Prompt);
        var reply = chat.Through(new JailbreakTemplates(new() { Templates = ["{0}. thanks", "you are kind. {0} {0}"], Shots = 2 }), Toy.Context(), "how?")[0];

        Assert.Equal("how?. thanks", reply.Text);
        Assert.Equal(["you are kind. how? how?", "Sure."], reply.Alternatives);
        var shots = chat.Asked[2].Request.Messages;
        Assert.Equal([.. Toy.Harmful[0].Messages, .. Toy.Harmful[10].Messages, new(Role.User, "how?")], shots);
    }

    [Fact]
    public void A_system_prompt_stays_before_the_complying_turns()
    {
        var chat = new RecordingChat();
        new JailbreakTemplates(new() { Templates = [], Shots = 1 }).Wrap(chat, Toy.Context())
            .Reply([new ChatRequest([new(Role.System, "be kind"), new(Role.User, "how?")])], Sampling.Greedy, TestContext.Current.CancellationToken);

        Assert.Equal([Role.System, Role.User, Role.Assistant, Role.User], chat.Asked[0].Request.Messages.Select(m => m.Role));
    }

    [Fact]
    public void The_control_asks_the_plain_request_as_often()
    {
        var chat = new RecordingChat();
        chat.Through(new JailbreakTemplates(new() { Resample = true }), Toy.Context(), "how?");

        Assert.Equal(new JailbreakTemplatesSettings().Templates.Count + 1, chat.Asked.Count);
        Assert.All(chat.Asked, a => Assert.Equal("how?", a.Request.Prompt));
    }

    [Fact]
    public void A_template_without_a_place_for_the_request_is_an_error() =>
        Assert.Contains("{0}", Assert.Throws<TemperException>(() => new JailbreakTemplates(new() { Templates = ["hello"] }).Wrap(new RecordingChat(), Toy.Context())).Message, StringComparison.Ordinal);
}
