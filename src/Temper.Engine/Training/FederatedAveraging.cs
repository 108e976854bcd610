using Temper.Core;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>What a client of a federation is told in a round.</summary>
public readonly struct FederatedRound
{
    public required CausalModel Model { get; init; }
    public required int Round { get; init; }
    public required int Clients { get; init; }

    /// <summary>eta: what the server multiplies the aggregate with.</summary>
    public required double ServerRate { get; init; }

    /// <summary>The live weights that the federation trains; the global ones as the round begins.</summary>
    public required IReadOnlyList<Tensor> Weights { get; init; }

    /// <summary>The global weights, (P,).</summary>
    public required Tensor Global { get; init; }

    /// <summary>What the last round added to the global weights, (P,); null in the first.</summary>
    public required Tensor? LastUpdate { get; init; }
}

/// <summary>What a client hands in: its update, (P,), and how its own training went if it tells.</summary>
public sealed record ClientUpdate(Tensor Update, TrainingResult? Training);

/// <summary>What a client does in a round; it may leave anything in the live weights.</summary>
public delegate ClientUpdate FederatedClient(FederatedRound round, CancellationToken cancellationToken);

/// <summary>How a server makes one update, (P,), of the clients', (n, P). A hook that is one replaces the mean: the place for robust aggregation.</summary>
public interface IAggregation
{
    Tensor Aggregate(Tensor updates);
}

/// <summary>Federated averaging (McMahan et al. 2017): in every round each client trains from the global weights, and the server adds eta times the
/// mean of their updates. Of LoRA the factors are averaged, as FedIT does (Zhang et al. 2024).</summary>
public static class FederatedAveraging
{
    /// <summary>Runs the rounds and leaves the global weights in <paramref name="weights"/>. The losses are the mean last losses of the
    /// clients that tell theirs, one a round.</summary>
    public static TrainingResult Run(
        CausalModel model, IReadOnlyList<Tensor> weights, IReadOnlyList<FederatedClient> clients, int rounds, double serverRate, IAggregation? aggregation,
        CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        Tensor? last = null;
        List<double> losses = [];
        List<TrainingEvent> events = [];
        for (var round = 0; round < rounds; round++)
        {
            using var inner = NewDisposeScope();
            var global = FlatWeights.Read(weights);
            var arguments = new FederatedRound
            {
                Model = model, Round = round, Clients = clients.Count, ServerRate = serverRate, Weights = weights, Global = global, LastUpdate = last,
            };
            List<ClientUpdate> updates = [];
            foreach (var client in clients)
            {
                cancellationToken.ThrowIfCancellationRequested();
                FlatWeights.Write(weights, global);
                updates.Add(client(arguments, cancellationToken));
            }

            var stacked = stack([.. updates.Select(u => u.Update)], 0); // (n, P)
            var update = (aggregation?.Aggregate(stacked) ?? stacked.mean([0])) * serverRate; // (P,)
            if (!update.isfinite().all().item<bool>())
            {
                throw new TemperException($"round {round}: found an update that is not finite, expected numbers; a lower learning rate or boost may help");
            }

            FlatWeights.Write(weights, global + update);
            last?.Dispose();
            last = update.MoveToOuterDisposeScope();
            var trainings = updates.Select(u => u.Training).OfType<TrainingResult>().ToArray();
            losses.AddRange(trainings.Length > 0 ? [trainings.Average(t => t.Losses[^1])] : []);
            events.AddRange(trainings.SelectMany((t, i) => t.Events.Select(e => new TrainingEvent(round + 1, $"client {i}, local step {e.Step}: {e.Text}"))));
        }

        return new(losses, 0, null, []) { Events = events };
    }
}
