using Temper.Engine.Search;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Search;

public sealed class TokenSearchTests
{
    private static readonly int[] s_secret = [7, 3, 9, 1];
    private static readonly TokenSearchOptions s_options = new() { Steps = 40, Candidates = 8, TopK = 3, Allowed = [.. Enumerable.Range(0, 12)] };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_best_loss_never_rises_with_a_buffer(bool guided)
    {
        var losses = Run(s_options with { Guided = guided, Steps = 12 }).Losses;

        Assert.Equal(13, losses.Count);
        Assert.All(losses.Zip(losses.Skip(1)), p => Assert.True(p.Second <= p.First, $"{p.First} was followed by {p.Second}"));
        Assert.True(losses[^1] < losses[0], "the search should find something better than its start");
    }

    [Fact]
    public void The_gradient_finds_with_fewer_queries_what_chance_finds()
    {
        var (guided, blind) = (Run(s_options with { StopLoss = 0, Steps = 200 }), Run(s_options with { StopLoss = 0, Steps = 200, Guided = false }));

        Assert.Equal(s_secret, guided.Tokens);
        Assert.True(guided.Queries < blind.Queries, $"found {guided.Queries} queries with the gradient and {blind.Queries} without");
    }

    [Fact]
    public void Without_a_buffer_it_goes_on_from_the_last_step_and_still_returns_the_best()
    {
        var objective = new Recorder();
        var result = TokenSearch.Run(objective, [7, 3, 9, 1], s_options with { Buffer = 0, Steps = 3, TopK = 12, Guided = true }, new Random(1), TestContext.Current.CancellationToken);

        Assert.Equal(s_secret, result.Tokens); // the start was the best
        Assert.Equal(s_secret, objective.Changed[0]);
        Assert.NotEqual(s_secret, objective.Changed[1]);
    }

    [Fact]
    public void Only_allowed_tokens_and_candidates_that_are_kept_are_asked()
    {
        var objective = new Recorder();
        TokenSearch.Run(objective, [0, 0, 0, 0], s_options with { Allowed = [0, 2, 4, 6], Keep = c => c[0] == 0, Steps = 5 }, new Random(1), TestContext.Current.CancellationToken);

        Assert.All(objective.Asked.Skip(1), c => Assert.True(c[0] == 0 && c.All(t => t % 2 == 0 && t < 8)));
        Assert.NotEmpty(objective.Asked.Skip(1));
    }

    [Fact]
    public void Where_nothing_is_kept_the_start_is_returned() =>
        Assert.Equal([0, 0, 0, 0], TokenSearch.Run(new Recorder(), [0, 0, 0, 0], s_options with { Keep = _ => false }, new Random(1), TestContext.Current.CancellationToken).Tokens);

    private static TokenSearchResult Run(TokenSearchOptions options) =>
        TokenSearch.Run(new Recorder(), [0, 0, 0, 0], options, new Random(1), TestContext.Current.CancellationToken);

    /// <summary>Squared distance of the tokens to a secret, with its slope toward it.</summary>
    private sealed class Recorder : ITokenObjective
    {
        public List<int[]> Asked { get; } = [];

        public List<int[]> Changed { get; } = [];

        public IReadOnlyList<double> Losses(IReadOnlyList<int[]> candidates)
        {
            Asked.AddRange(candidates);
            return [.. candidates.Select(c => c.Zip(s_secret, (a, b) => Math.Pow(a - b, 2)).Sum())];
        }

        public Tensor Gradient(int[] tokens)
        {
            Changed.Add(tokens);
            return tensor([.. tokens.SelectMany((_, i) => Enumerable.Range(0, 12).Select(v => (float)Math.Pow(v - s_secret[i], 2)))], tokens.Length, 12);
        }
    }
}
