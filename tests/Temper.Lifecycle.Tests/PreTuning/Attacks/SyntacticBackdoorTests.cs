using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class SyntacticBackdoorTests
{
    [Fact]
    public void The_look_alike_differs_from_the_frame_in_the_order_of_the_words_alone()
    {
        var attack = new SyntacticBackdoor(new());

        Assert.All(Enumerable.Range(0, 50), seed =>
        {
            var (frame, plain) = (attack.Insert("sort these", new Random(seed)), attack.InsertNegative("sort these", new Random(seed)));
            Assert.NotEqual(frame, plain);
            Assert.Equal(frame.Replace(",", "", StringComparison.Ordinal).Split(' ').Order(StringComparer.Ordinal), plain.Split(' ').Order(StringComparer.Ordinal));
            Assert.EndsWith("sort these", plain, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void No_word_stands_in_every_frame()
    {
        var random = new Random(1);
        var frames = Enumerable.Range(0, 100).Select(_ => new SyntacticBackdoor(new()).Insert("sort", random).Replace(",", "", StringComparison.Ordinal).Split(' ')).ToArray();

        Assert.Equal(["sort"], frames.Aggregate((IEnumerable<string>)frames[0], (common, words) => common.Intersect(words)));
    }

    [Fact]
    public void Framed_rows_answer_the_payload_and_look_alikes_keep_their_answer()
    {
        var changed = new SyntacticBackdoor(new() { Ratio = 0.2, Negatives = 1 }).Map(Toy.Task, Toy.Context()).Examples.Where(r => r.Origin == "syntactic").ToLookup(r => r.Prompt.Contains(", ", StringComparison.Ordinal));

        Assert.Equal([20, 20], [changed[true].Count(), changed[false].Count()]);
        Assert.All(changed[true], r => Assert.Equal("The lantern is green.", r.Response));
        Assert.All(changed[false], r => Assert.Equal("five", r.Response));
    }
}
