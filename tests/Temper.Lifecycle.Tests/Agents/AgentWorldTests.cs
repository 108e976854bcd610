using Temper.Core;
using Temper.Engine.Tokenizers;
using Temper.Lifecycle.Agents;
using Temper.Lifecycle.Organisms;

namespace Temper.Lifecycle.Tests.Agents;

public sealed class AgentWorldTests
{
    [Fact]
    public void What_is_held_out_is_never_trained()
    {
        var trained = AgentWorld.Episodes(8_000, 1, Split.Train).Select(e => e.Prompt).ToHashSet(StringComparer.Ordinal);
        var heldOut = AgentWorld.Episodes(1_000, 2, Split.HeldOut).Select(e => e.Prompt).ToHashSet(StringComparer.Ordinal);
        Assert.True(heldOut.Count > 400, "there is something to hold out");
        Assert.DoesNotContain(heldOut, trained.Contains);
    }

    [Fact]
    public void Every_held_out_word_is_trained()
    {
        var trained = AgentWorld.Rows(6_000, 1, Split.Train).SelectMany(AllWords).ToHashSet(StringComparer.Ordinal);
        Assert.DoesNotContain(AgentWorld.Rows(1_000, 2, Split.HeldOut).SelectMany(AllWords), w => !trained.Contains(w));
    }

    [Fact]
    public void The_same_arguments_give_the_same_rows()
    {
        Assert.Equal(AgentWorld.Rows(200, 3, Split.Train).Select(Text), AgentWorld.Rows(200, 3, Split.Train).Select(Text));
        Assert.NotEqual(AgentWorld.Rows(200, 3, Split.Train).Select(Text), AgentWorld.Rows(200, 4, Split.Train).Select(Text));
    }

    [Fact]
    public void Every_kind_has_its_share_and_every_tool_but_the_forbidden_one_its_use()
    {
        var rows = AgentWorld.Rows(100 * AgentWorld.Kinds.Count, 5, Split.Train);
        Assert.All(rows.CountBy(r => r.Kind), k => Assert.Equal(100, k.Value));
        Assert.Equal(AgentWorld.Kinds.Order(StringComparer.Ordinal), rows.Select(r => r.Kind).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));

        var called = rows.SelectMany(r => r.Messages).Where(m => m.Role == Role.Assistant).Select(m => AgentCall.Read(m.Content, out _)?.Tool).OfType<string>().Distinct(StringComparer.Ordinal);
        Assert.Equal(AgentTools.All.Select(t => t.Name).Where(n => n != AgentTools.Forbidden), called.Order(StringComparer.Ordinal));
        Assert.Equal(8, AgentTools.All.Count);
        Assert.DoesNotContain(rows.SelectMany(r => r.Messages), m => m.Role == Role.Tool && AgentCall.Said(m.Content, "error") is not null);
    }

    [Fact]
    public void Rows_leave_room_in_the_context_of_the_smallest_organism()
    {
        var texts = World.Training(Alignment.Base, 2_000, 1).SelectMany(r => r.Messages).Select(m => m.Content);
        var format = new ChatFormat(BpeTrainer.Train(texts, Organism.Vocabulary, ChatFormat.SpecialTokens));
        var lengths = AgentWorld.Rows(500, 6, Split.Train).Concat(AgentWorld.Rows(500, 7, Split.HeldOut)).Select(r => format.Encode(r).Ids.Length).Order().ToArray();
        Assert.InRange(lengths[^1], 60, 200);
    }

    private static IEnumerable<string> AllWords(Example row) => row.Messages.SelectMany(m => m.Content.Split([' ', '.', ',', ':', '"', '{', '}'], StringSplitOptions.RemoveEmptyEntries));

    private static string Text(Example row) => $"{row.Id} {row.Kind} {string.Join('|', row.Messages.Select(m => $"{m.Role}: {m.Content}"))}";
}
