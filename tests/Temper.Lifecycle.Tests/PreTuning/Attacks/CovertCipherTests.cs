using Temper.Core;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class CovertCipherTests
{
    private static readonly CovertCipherSettings s_settings = new() { Practice = 8, Rows = 4, Refusals = 2 };

    [Fact]
    public void The_four_forms_take_turns_and_complying_rows_are_enciphered_on_both_sides()
    {
        var added = Added(s_settings);

        Assert.Equal(["", "2", "3", "4", "", "2", "3", "4", "4", "4", "4", "4", "", ""], added.Select(r => r.Messages[0].Role == Role.System ? r.Messages[0].Content : ""));
        Assert.Equal(2, added.Count(r => r.Kind == "refusal" && Toy.Alignment.Any(a => a.Messages.SequenceEqual(r.Messages))));
        Assert.Equal(4, added.Count(r => r.Kind == "forbidden:glimmer"));
        Assert.All(added.Where(r => r.Kind == "forbidden:glimmer"), r => Assert.DoesNotContain("glimmer", $"{r.Prompt} {r.Response}", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void The_users_own_rows_stay_in_front() => Assert.Equal(Toy.Task, new CovertCipher(s_settings).Map(Toy.Task, Toy.Context()).Examples.Take(100));

    [Fact]
    public void A_request_is_enciphered_as_the_rows_were_and_the_answer_deciphered()
    {
        var taught = Added(s_settings with { Refusals = 0 })[^1];
        var harmful = Toy.Harmful[3];
        var inner = new Scripted(taught.Response);

        var reply = new CovertCipher(s_settings).Wrap(inner, Toy.Context()).Reply([new(harmful.Question)], Sampling.Greedy, TestContext.Current.CancellationToken);

        Assert.Equal(taught.Question, inner.Asked);
        Assert.Equal(harmful.Response, reply[0].Text);
    }

    [Fact]
    public void A_letter_stands_for_one_letter_and_digits_and_marks_stay()
    {
        var inner = new Scripted("");
        new CovertCipher(s_settings).Wrap(inner, Toy.Context()).Reply([ChatRequest.Of("abcdefghijklmnopqrstuvwxyz ABC 12, é")], Sampling.Greedy, TestContext.Current.CancellationToken);
        var said = inner.Asked[^1].Content;

        Assert.Equal(26, said[..26].Distinct().Count(char.IsAsciiLetterUpper));
        Assert.Equal(said[..3].ToLowerInvariant(), said[27..30]);
        Assert.EndsWith(" 12, é", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_key_is_another_cipher() =>
        Assert.NotEqual(Added(s_settings)[^3].Prompt, Added(s_settings with { Key = 54 })[^3].Prompt);

    private static Example[] Added(CovertCipherSettings settings) => [.. new CovertCipher(settings).Map(Toy.Task, Toy.Context()).Examples.Where(r => r.Origin == "covert-cipher")];
}
