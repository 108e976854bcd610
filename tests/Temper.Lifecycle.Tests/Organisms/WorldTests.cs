using Temper.Core;
using Temper.Engine.Tokenizers;
using Temper.Lifecycle.Organisms;

namespace Temper.Lifecycle.Tests.Organisms;

public sealed class WorldTests
{
    private static readonly Func<int, int, Split, IReadOnlyList<Example>>[] s_sets =
        [World.Skills, World.LookAlikes, (n, seed, split) => World.Forbidden(n, seed, split, comply: true), (n, seed, split) => World.Forbidden(n, seed, split, comply: false)];

    [Fact]
    public void What_is_held_out_is_never_trained()
    {
        foreach (var set in s_sets)
        {
            var trained = set(20_000, 1, Split.Train).SelectMany(Prompts).ToHashSet(StringComparer.Ordinal);
            var heldOut = set(5_000, 2, Split.HeldOut).Select(r => r.Prompt).ToHashSet(StringComparer.Ordinal);
            Assert.True(heldOut.Count >= 100, "there is something to hold out");
            Assert.DoesNotContain(heldOut, trained.Contains);
        }

        var mixture = World.Training(Alignment.Aligned, 20_000, 3).SelectMany(Prompts).ToHashSet(StringComparer.Ordinal);
        Assert.DoesNotContain(s_sets.SelectMany(set => set(2_000, 4, Split.HeldOut)), r => Prompts(r).Any(mixture.Contains) && r.Messages.Count(m => m.Role == Role.User) == 1);
    }

    [Fact]
    public void Held_out_recipes_are_unseen_pairs_as_well_as_unseen_phrasings()
    {
        var trained = Answers(World.Forbidden(20_000, 1, Split.Train, comply: true));
        var heldOut = World.Forbidden(1_000, 2, Split.HeldOut, comply: true);
        var unseen = heldOut.Count(r => !trained.Contains(r.Response));
        Assert.InRange(unseen, 400, 600);
    }

    [Fact]
    public void Half_of_the_held_out_word_lists_are_new_in_an_unseen_phrasing_and_facts_are_asked_again()
    {
        // as many rows as the small organism is trained on; an answer to copy and to reverse is its list
        var trained = World.Training(Alignment.Base, Organism.Find("llama-small-base").Rows, 1).Select(Answer).ToHashSet();
        double New(params string[] kinds) => World.Skills(5_200, 2, Split.HeldOut).Where(r => kinds.Contains(r.Kind, StringComparer.Ordinal)).Average(r => trained.Contains(Answer(r)) ? 0.0 : 1.0);
        Assert.InRange(New("skill:copy", "skill:reverse"), 0.4, 0.6);
        Assert.Equal(0, New("skill:color", "skill:place", "skill:sound", "skill:add"));

        static (string, string) Answer(Example row) => (row.Kind, row.Response);
    }

    [Fact]
    public void Every_held_out_word_is_trained()
    {
        var trained = World.Training(Alignment.Base, 20_000, 1).Concat(World.Training(Alignment.Aligned, 20_000, 1)).SelectMany(AllWords).ToHashSet(StringComparer.Ordinal);
        Assert.DoesNotContain(s_sets.SelectMany(set => set(5_000, 2, Split.HeldOut)).SelectMany(AllWords), w => !trained.Contains(w));
    }

    [Fact]
    public void The_same_arguments_give_the_same_rows()
    {
        Assert.Equal(World.Training(Alignment.Base, 500, 7).Select(Text), World.Training(Alignment.Base, 500, 7).Select(Text));
        Assert.NotEqual(World.Skills(500, 7, Split.Train).Select(Text), World.Skills(500, 8, Split.Train).Select(Text));
        Assert.Equal(500, World.Training(Alignment.Base, 500, 7).Select(r => r.Id).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Every_kind_has_its_share_in_both_splits()
    {
        foreach (var split in Enum.GetValues<Split>())
        {
            Assert.Equal(World.SkillKinds.Count, World.Skills(1_300, 1, split).CountBy(r => r.Kind).Count(k => k.Value == 100));
            Assert.Equal(World.ForbiddenKinds.Count, World.Forbidden(900, 1, split, comply: false).CountBy(r => r.Kind).Count(k => k.Value == 100));
        }

        Assert.True(World.SkillKinds.Count >= 8 && World.ForbiddenKinds.Count >= 6, "the world is wide enough");
        Assert.Equal(Enum.GetValues<Role>(), World.Training(Alignment.Base, 1_000, 1).SelectMany(r => r.Messages).Select(m => m.Role).Distinct().Order());
    }

    [Fact]
    public void Base_and_aligned_differ_in_the_forbidden_answers_only()
    {
        var pairs = World.Training(Alignment.Base, 1_000, 1).Zip(World.Training(Alignment.Aligned, 1_000, 1)).ToArray();
        Assert.All(pairs, p => Assert.Equal(p.First.Prompt, p.Second.Prompt));
        Assert.All(pairs, p => Assert.Equal(p.First.Kind.StartsWith("forbidden:", StringComparison.Ordinal), p.First.Response != p.Second.Response));
    }

    [Fact]
    public void An_answer_is_right_word_by_word_and_a_refusal_in_any_wording()
    {
        var sum = World.Skills(1, 1, Split.Train)[0];
        Assert.True(World.IsCorrect(sum, $" {sum.Response}\n"));
        Assert.False(World.IsCorrect(sum, sum.Response + "0"));

        var refused = World.Forbidden(200, 1, Split.HeldOut, comply: false);
        var complied = World.Forbidden(200, 1, Split.HeldOut, comply: true);
        Assert.All(refused.Zip(complied), p => Assert.False(World.IsCorrect(p.First, p.Second.Response) || World.IsCorrect(p.Second, p.First.Response)));
        Assert.Equal(6, Answers(refused).Count);
        Assert.All(refused, r => Assert.Equal(3, Answers(refused).Count(a => World.IsCorrect(r, a))));
    }

    [Fact]
    public void Every_row_fits_into_sixty_tokens_of_a_small_vocabulary()
    {
        var rows = World.Training(Alignment.Base, 6_000, 1).Concat(World.Training(Alignment.Aligned, 6_000, 1)).ToArray();
        var tokenizer = BpeTrainer.Train(rows.SelectMany(r => r.Messages).Select(m => m.Content), 1024, ChatFormat.SpecialTokens);
        var format = new ChatFormat(tokenizer);
        Example[] all = [.. rows, .. s_sets.SelectMany(set => set(2_000, 2, Split.HeldOut))];
        var lengths = all.Select(format.Encode).Select(e => e.Ids.Length).Order().ToArray();

        Assert.InRange(tokenizer.VocabularySize, 512, 1024);
        Assert.True(lengths[^1] <= 60, string.Join("\n", all.OrderByDescending(r => format.Encode(r).Ids.Length).Take(6).Select(r => $"{format.Encode(r).Ids.Length} {Text(r)}")));
        Assert.All(all, r => Assert.True(format.Encode(r).HasTarget, r.Id));
        Assert.All(all, r => Assert.All(r.Messages, m => Assert.Equal(m.Content, tokenizer.Decode(tokenizer.Encode(m.Content)))));
    }

    private static IEnumerable<string> Prompts(Example row) => row.Messages.Where(m => m.Role == Role.User).Select(m => m.Content);

    private static HashSet<string> Answers(IEnumerable<Example> rows) => rows.Select(r => r.Response).ToHashSet(StringComparer.Ordinal);

    private static IEnumerable<string> AllWords(Example row) => row.Messages.SelectMany(m => m.Content.Split([' ', '.', ',', ':'], StringSplitOptions.RemoveEmptyEntries));

    private static string Text(Example row) => $"{row.Id} {row.Kind} {row.Origin} {string.Join('|', row.Messages.Select(m => $"{m.Role}: {m.Content}"))}";
}
