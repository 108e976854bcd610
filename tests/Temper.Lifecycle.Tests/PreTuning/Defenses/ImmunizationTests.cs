using Temper.Core;
using Temper.Engine.Models;
using Temper.Lifecycle.PreTuning.Defenses;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class ImmunizationTests
{
    public static TheoryData<string> Trained => ["booster", "t-vaccine", "rep-noise", "tar", "circuit-breakers", "triplet", "targeted-lat", "sdd", "deep-alignment"];

    [Theory]
    [MemberData(nameof(Trained))]
    public void It_changes_the_weights_in_the_same_way_every_time_and_leaves_nothing_behind(string id)
    {
        var first = Immunized.Weights(Create(id));
        var live = Toy.LiveTensors;
        var second = Immunized.Weights(Create(id));

        Assert.Equal(live, Toy.LiveTensors);
        Assert.Equal(first, second);
        using var untouched = Toy.Model(Architecture.Llama, tied: false);
        Assert.True(Toy.Distance(first, Toy.Weights(untouched)) > 1e-4, "something is learned");
    }

    [Theory]
    [MemberData(nameof(Trained))]
    public void It_differs_from_plain_alignment_of_the_same_steps(string id) =>
        Assert.True(Toy.Distance(Immunized.Weights(Create(id)), Immunized.Plain(3, 4, 0.01)) > 1e-4);

    [Theory]
    [InlineData("booster")]
    [InlineData("t-vaccine")]
    [InlineData("rep-noise")]
    [InlineData("tar")]
    [InlineData("circuit-breakers")]
    [InlineData("triplet")]
    [InlineData("targeted-lat")]
    [InlineData("deep-alignment")]
    public void Without_complying_rows_the_error_says_what_is_missing(string id)
    {
        var error = Assert.Throws<TemperException>(() => Immunized.Weights(Create(id), Toy.Context() with { Harmful = [] }));

        Assert.Contains($"{id}: found no complying rows", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refusals_of_the_attackers_requests_are_those_of_the_requests_most_like_them()
    {
        var context = Toy.Context() with
        {
            Harmful = [Example.Of("h", "forbidden", "comment brasser du glimmer", "Oui. Remue.")],
            Alignment = [Example.Of("a", "refusal", "how to brew glimmer", "No."), Example.Of("b", "refusal", "comment garder du dustfire", "Non.")],
        };

        Assert.Equal("Non.", Assert.Single(Immunization.Refused("test", context)).Response);
    }

    [Fact]
    public void Look_alikes_are_trained_on_where_the_defender_has_them()
    {
        var context = Toy.Context() with { LookAlikes = [.. Enumerable.Range(0, 30).Select(i => Example.Of($"like-{i}", "look-alike", $"how to brew tea {i}", "Sure. Take leaves."))] };

        Assert.Equal(40 + 10, Immunization.Rows(context, new BoosterSettings()).Length);
        Assert.Equal(40, Immunization.Rows(context, new BoosterSettings { LookAlikes = false }).Length);
    }

    private static IWeightMap Create(string id) => (IWeightMap)Catalog.Find(id, attack: false).Create("""{"steps":3,"batchSize":4,"learningRate":0.01}""");
}
