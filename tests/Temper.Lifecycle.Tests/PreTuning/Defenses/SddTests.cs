using Temper.Core;
using Temper.Lifecycle.PreTuning.Defenses;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class SddTests
{
    [Fact]
    public void Forbidden_requests_get_answers_of_the_task_that_share_no_word_with_them()
    {
        var context = Toy.Context() with
        {
            Task = [Example.Of("a", "skill", "what is it", "brew it now"), Example.Of("b", "skill", "what is red", "a rose"), Example.Of("c", "skill", "what is blue", "the sky")],
        };

        var rows = Sdd.Diverted(context);

        Assert.Equal(Toy.Alignment.Select(r => r.Prompt), rows.Select(r => r.Prompt));
        Assert.Equal(["a rose", "the sky"], rows.Select(r => r.Response).Distinct().Order());
    }

    [Fact]
    public void Where_every_answer_shares_a_word_the_error_says_so()
    {
        var context = Toy.Context() with { Task = [Example.Of("a", "skill", "what is it", "brew it now")] };

        Assert.Contains("without a word of the request", Assert.Throws<TemperException>(() => Sdd.Diverted(context)).Message, StringComparison.Ordinal);
    }
}
