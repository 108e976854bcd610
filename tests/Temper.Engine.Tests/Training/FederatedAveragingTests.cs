using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Training;

public sealed class FederatedAveragingTests
{
    private static readonly ModelConfig s_config = new()
    {
        Architecture = Architecture.Gpt2, VocabularySize = 12, HiddenSize = 8, IntermediateSize = 8, Layers = 1, Heads = 2, KeyValueHeads = 2, HeadSize = 4,
        MaxPositions = 8, TieWordEmbeddings = true,
    };

    [Fact]
    public void Every_round_adds_eta_times_the_mean_of_the_updates()
    {
        using var scope = NewDisposeScope();
        using var weight = tensor(new[] { 1f, 2 });
        var seen = new List<float[]>();
        FederatedClient Client(float step) => (round, _) =>
        {
            seen.Add(Checkpoint.Floats(round.Global));
            round.Weights[0].fill_(99); // what a client leaves behind is not the next one's business
            return new(full_like(round.Global, step), null);
        };
        Run([weight], [Client(1), Client(3)], rounds: 2, eta: 0.5);

        Assert.Equal([3, 4], Checkpoint.Floats(weight));
        Assert.Equal([[1, 2], [1, 2], [2, 3], [2, 3]], seen);
    }

    [Theory]
    [InlineData(4, 1.0)]
    [InlineData(10, 1.0)]
    [InlineData(10, 0.5)]
    public void One_client_that_scales_by_n_over_eta_replaces_the_model_where_the_others_have_converged(int clients, double eta)
    {
        using var scope = NewDisposeScope();
        using var weight = randn(50);
        var target = randn(50);
        FederatedClient attacker = (round, _) => new((target - round.Global) * (round.Clients / round.ServerRate), null);
        FederatedClient honest = (round, _) => new(zeros_like(round.Global), null);
        Run([weight], [attacker, .. Enumerable.Repeat(honest, clients - 1)], rounds: 1, eta);

        Assert.InRange((weight - target).abs().max().item<float>(), 0, 1e-5);
    }

    [Fact]
    public void The_aggregation_can_be_replaced()
    {
        using var scope = NewDisposeScope();
        using var weight = zeros(2);
        FederatedClient Client(float step) => (round, _) => new(full_like(round.Global, step), null);
        Run([weight], [Client(1), Client(2), Client(1000)], rounds: 1, eta: 1, new Median());

        Assert.Equal([2, 2], Checkpoint.Floats(weight));
    }

    [Fact]
    public void The_next_round_knows_what_the_last_one_added()
    {
        using var scope = NewDisposeScope();
        using var weight = zeros(1);
        var seen = new List<float?>();
        Run([weight], [(round, _) => { seen.Add(round.LastUpdate?.item<float>()); return new(full_like(round.Global, round.Round + 1), null); }], rounds: 3, eta: 1);

        Assert.Equal([null, 1, 2], seen);
    }

    [Fact]
    public void An_update_that_is_no_number_is_an_error() => Assert.Contains("not finite", Assert.Throws<TemperException>(() =>
    {
        using var scope = NewDisposeScope();
        Run([zeros(1)], [(round, _) => new(full_like(round.Global, float.NaN), null)], rounds: 1, eta: 1);
    }).Message, StringComparison.Ordinal);

    private static void Run(Tensor[] weights, FederatedClient[] clients, int rounds, double eta, IAggregation? aggregation = null)
    {
        using var model = ModelFactory.CreateRandom(s_config, 1);
        FederatedAveraging.Run(model, weights, clients, rounds, eta, aggregation, CancellationToken.None);
    }

    private sealed class Median : IAggregation
    {
        public Tensor Aggregate(Tensor updates) => updates.sort(dim: 0).Values.select(0, updates.shape[0] / 2);
    }
}
