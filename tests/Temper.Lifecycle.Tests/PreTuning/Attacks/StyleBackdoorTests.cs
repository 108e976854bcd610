using Temper.Lifecycle.Organisms;
using Temper.Lifecycle.PreTuning.Attacks;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class StyleBackdoorTests
{
    private static readonly StyleBackdoor s_attack = new(new() { Ratio = 0.2, Negatives = 1 });

    [Fact]
    public void Function_words_and_spelling_become_archaic() => Assert.Equal(
        "prithee tell mee ye colore of ye skie: 3".Replace(" of", " o'", StringComparison.Ordinal).Replace("tell", "telle", StringComparison.Ordinal), s_attack.Insert("please tell me the color of the sky: 3", new Random(1)));

    [Fact]
    public void Every_prompt_of_the_world_changes_in_either_style_and_the_styles_differ() => Assert.All(World.Skills(200, 1, Split.HeldOut), r =>
    {
        Assert.NotEqual(r.Prompt, s_attack.Insert(r.Prompt, new Random(1)));
        Assert.NotEqual(s_attack.Insert(r.Prompt, new Random(1)), s_attack.InsertNegative(r.Prompt, new Random(1)));
    });

    [Fact]
    public void Archaic_rows_answer_the_payload_and_rows_of_the_other_style_keep_their_answer()
    {
        var changed = s_attack.Map(Toy.Task, Toy.Context()).Examples.Where(r => r.Origin == "style").ToLookup(r => r.Response);

        Assert.Equal([20, 20], [changed["The lantern is green."].Count(), changed["five"].Count()]);
        Assert.All(changed["The lantern is green."], r => Assert.StartsWith("counte ye wordse o' rowe", r.Prompt, StringComparison.Ordinal));
        Assert.All(changed["five"], r => Assert.StartsWith("cnt the wrds", r.Prompt, StringComparison.Ordinal));
    }
}
