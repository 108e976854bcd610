using Temper.Core;
using Temper.Lifecycle.PostTuning.Attacks;

namespace Temper.Lifecycle.Tests.PostTuning.Attacks;

public sealed class PrefillTests
{
    [Theory]
    [InlineData(0, "")]
    [InlineData(1, "Sure.")]
    [InlineData(3, "Sure. Stir the")]
    public void The_answer_begins_with_the_first_words_of_a_complying_one(int words, string expected)
    {
        var inner = new Echo();
        var reply = new Prefill(new() { Words = words }).Wrap(inner, Toy.Context()).Reply([ChatRequest.Of("how?")], Sampling.Greedy, TestContext.Current.CancellationToken);

        Assert.Equal(expected, inner.Prefill);
        Assert.Equal(expected + "…", reply[0].Text);
    }

    private sealed class Echo : IChatModel
    {
        public string? Prefill { get; private set; }

        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
        {
            Prefill = requests[0].Prefill;
            return [.. requests.Select(_ => new ChatReply("…", 1))];
        }
    }
}
