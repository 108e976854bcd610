using Temper.Core;
using Temper.Lifecycle.PostTuning.Attacks;

namespace Temper.Lifecycle.Tests.PostTuning.Attacks;

public sealed class TemplateMismatchTests
{
    [Theory]
    [InlineData(Mismatch.Bare, PromptFormat.Bare, Role.User)]
    [InlineData(Mismatch.SystemRole, PromptFormat.Chat, Role.System)]
    [InlineData(Mismatch.ToolRole, PromptFormat.Chat, Role.Tool)]
    [InlineData(Mismatch.AssistantRole, PromptFormat.Chat, Role.Assistant)]
    public void The_same_words_are_asked_in_another_template_or_role(Mismatch mismatch, PromptFormat format, Role role)
    {
        var chat = new RecordingChat();
        chat.Through(new TemplateMismatch(new() { Mismatch = mismatch }), Toy.Context(), "how?");

        var (request, _) = Assert.Single(chat.Asked);
        Assert.Equal((format, new Message(role, "how?")), (request.Format, Assert.Single(request.Messages)));
    }

    [Fact]
    public void Any_asks_in_each_of_them()
    {
        var chat = new RecordingChat();
        var reply = chat.Through(new TemplateMismatch(new()), Toy.Context(), "how?")[0];

        Assert.Equal(4, chat.Asked.Count);
        Assert.Equal(3, reply.Alternatives.Count);
    }
}
