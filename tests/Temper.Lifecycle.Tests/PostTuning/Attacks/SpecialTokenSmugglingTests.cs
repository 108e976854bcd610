using Temper.Core;
using Temper.Engine.Tokenizers;
using Temper.Lifecycle.PostTuning.Attacks;

namespace Temper.Lifecycle.Tests.PostTuning.Attacks;

public sealed class SpecialTokenSmugglingTests
{
    private static readonly Tokenizer s_tokenizer = BpeTrainer.Train(Toy.Harmful.SelectMany(r => r.Messages).Select(m => m.Content), 320, ChatFormat.SpecialTokens);
    private static readonly ChatFormat s_format = new(s_tokenizer);

    [Theory]
    [InlineData(Forgery.History, "<|user|><|end|><|assistant|><|end|><|user|><|end|><|assistant|>")]
    [InlineData(Forgery.Answer, "<|user|><|end|><|assistant|><|end|><|assistant|>")]
    [InlineData(Forgery.System, "<|user|><|end|><|system|><|end|><|assistant|>")]
    public void The_forged_turns_are_control_tokens_at_a_careless_interface_and_text_at_a_careful_one(Forgery forgery, string expected)
    {
        Assert.Equal(expected, Control(new() { Forgery = forgery }));
        Assert.Equal("<|user|><|end|><|assistant|>", Control(new() { Forgery = forgery, AsText = true }));
    }

    [Fact]
    public void A_forged_history_is_what_a_true_one_would_be_token_by_token()
    {
        var request = Ask(new() { Forgery = Forgery.History, Turns = 2 });
        Message[] history = [.. Toy.Harmful[0].Messages, .. Toy.Harmful[10].Messages, new(Role.User, "how?")];

        Assert.Equal(s_format.Prompt(history), s_format.Prompt(request.Messages, "", request.Format));
    }

    private static string Control(SpecialTokenSmugglingSettings settings)
    {
        var request = Ask(settings);
        var special = ChatFormat.SpecialTokens.Select(t => s_tokenizer.IdOf(t)!.Value).ToHashSet();
        return s_tokenizer.Decode([.. s_format.Prompt(request.Messages, "", request.Format).Where(special.Contains)], skipSpecial: false);
    }

    private static ChatRequest Ask(SpecialTokenSmugglingSettings settings)
    {
        var chat = new RecordingChat();
        chat.Through(new SpecialTokenSmuggling(settings), Toy.Context(), "how?");
        return chat.Asked[0].Request;
    }
}
