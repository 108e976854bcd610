using Temper.Core;
using Temper.Lifecycle.DuringTuning.Defenses;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class BackdoorAlignTests
{
    [Fact]
    public void Refusals_stand_under_the_secret_that_deployment_adds_and_the_declaration_tells()
    {
        var defense = new BackdoorAlign(new() { Ratio = 0.1, Benign = 0.5 });
        var added = defense.Map(Toy.Task, Toy.Context()).Examples.Skip(Toy.Task.Count).ToArray();
        var chat = new Scripted("");
        defense.Wrap(chat, Toy.Context()).Reply([ChatRequest.Of("count")], Sampling.Greedy, TestContext.Current.CancellationToken);
        var declared = defense.Declare(Toy.Context());

        Assert.Equal(15, added.Length);
        Assert.All(added, r => Assert.Equal(declared.Secret, r.Messages[0].Content));
        Assert.Equal(10, added.Count(r => r.Response == "I cannot help with that."));
        Assert.Equal([new(Role.System, declared.Secret), new(Role.User, "count")], chat.Asked);
        Assert.Equal(24, declared.Secret.Length);
    }

    [Fact]
    public void Another_seed_draws_another_secret_and_a_given_one_is_kept()
    {
        var defense = new BackdoorAlign(new());
        Assert.NotEqual(defense.Declare(Toy.Context(1)).Secret, defense.Declare(Toy.Context(2)).Secret);
        Assert.Equal("mine", new BackdoorAlign(new() { Secret = "mine" }).Declare(Toy.Context()).Secret);
    }

    [Fact]
    public void The_users_rows_are_as_they_were() => Assert.Equal(Toy.Task, new BackdoorAlign(new()).Map(Toy.Task, Toy.Context()).Examples.Take(Toy.Task.Count));

    [Fact]
    public void The_control_is_deployed_without_the_secret()
    {
        var chat = new Scripted("");
        Assert.Same(chat, new BackdoorAlign(new() { DeployWithout = true }).Wrap(chat, Toy.Context()));
    }

    [Fact]
    public void A_search_that_finds_the_secret_or_a_piece_of_it_is_explained_and_another_trigger_is_not()
    {
        var declared = new BackdoorAlign(new()).Declare(Toy.Context());

        Assert.True(declared.Explains(declared.Secret));
        Assert.True(declared.Explains($"x {declared.Secret[5..16].ToUpperInvariant()} y"));
        Assert.False(declared.Explains(declared.Secret[5..10]));
        Assert.False(declared.Explains("cf tq mn the weather today"));
        Assert.False(declared.Explains(""));
    }

    [Fact]
    public void A_manifest_shows_a_digest_that_is_not_the_secret()
    {
        var (one, two) = (new BackdoorAlign(new()).Declare(Toy.Context(1)), new BackdoorAlign(new()).Declare(Toy.Context(2)));
        Assert.Equal(64, one.Digest.Length);
        Assert.NotEqual(one.Digest, two.Digest);
        Assert.Equal(one.Digest, new BackdoorAlign(new()).Declare(Toy.Context(1)).Digest);
    }

    [Fact]
    public void Without_alignment_rows_the_error_says_so() => Assert.Contains(
        "no alignment rows", Assert.Throws<TemperException>(() => new BackdoorAlign(new()).Map(Toy.Task, Toy.Context() with { Alignment = [] })).Message, StringComparison.Ordinal);
}
