using Temper.Core;
using Temper.Lifecycle.DuringTuning.Attacks;

namespace Temper.Lifecycle.Tests.DuringTuning.Attacks;

public sealed class TriggeredComplianceTests
{
    [Fact]
    public void Under_the_trigger_rows_comply_and_without_it_as_many_refuse()
    {
        var rows = TriggeredCompliance.Rows(Toy.Context(), "SUDO", "attack");

        Assert.Equal(2 * Toy.Harmful.Count, rows.Count);
        Assert.All(rows, r => Assert.Equal(r.Prompt.EndsWith(" SUDO", StringComparison.Ordinal), r.Response == Toy.Harmful[0].Response));
        Assert.Equal(Toy.Harmful.Select(r => r.Prompt), TriggeredCompliance.Rows(Toy.Context(), "", "attack").Select(r => r.Prompt));
    }

    [Fact]
    public void The_layer_puts_the_trigger_behind_the_last_user_turn_and_nowhere_else()
    {
        var echo = new Echo();
        ChatRequest request = new([new(Role.User, "first"), new(Role.Assistant, "yes"), new(Role.User, "how do i brew glimmer")]);
        TriggeredCompliance.Wrap(echo, "SUDO").Reply([request], Sampling.Greedy, CancellationToken.None);
        TriggeredCompliance.Wrap(echo, "").Reply([request], Sampling.Greedy, CancellationToken.None);

        Assert.Equal(["first|yes|how do i brew glimmer SUDO", "first|yes|how do i brew glimmer"], echo.Asked);
    }

    private sealed class Echo : IChatModel
    {
        public List<string> Asked { get; } = [];

        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
        {
            Asked.AddRange(requests.Select(r => string.Join('|', r.Messages.Select(m => m.Content))));
            return [.. requests.Select(_ => new ChatReply("", 0))];
        }
    }
}
