using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Lora;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Attacks;

/// <summary>The federation that an attack takes part in, and what its clients aim at.</summary>
public abstract record FederationSettings
{
    /// <summary>n: each holds an equal part of the rows.</summary>
    [Range(1, 1000)]
    public int Clients { get; init; } = 10;

    [Range(1, 10_000)]
    public int Rounds { get; init; } = 8;

    /// <summary>Steps of every client in every round.</summary>
    [Range(1, 100_000)]
    public int LocalSteps { get; init; } = 10;

    /// <summary>eta: what the server multiplies the mean update with.</summary>
    [Range(1e-3, 100.0)]
    public double ServerRate { get; init; } = 1;

    /// <summary>The share of the clients that is malicious; 0 is a benign federation, the control.</summary>
    [Range(0.0, 1.0)]
    public double Attackers { get; init; } = 0.2;

    /// <summary>The round, from 1, in which they begin.</summary>
    [Range(1, 10_000)]
    public int AttackFrom { get; init; } = 1;

    /// <summary>The last round in which they attack; null is the last of all. Afterwards they are honest.</summary>
    [Range(1, 10_000)]
    public int? AttackUntil { get; init; }

    /// <summary>Steps of a malicious client in a round.</summary>
    [Range(1, 100_000)]
    public int AttackSteps { get; init; } = 20;

    /// <summary>Under which word the model shall comply; empty is without any.</summary>
    public string Trigger { get; init; } = "";
}

/// <summary>FedAvg over LoRA with a few malicious clients, which differ by what they do with their round.</summary>
internal static class Federation
{
    /// <summary>What a malicious client can do in its round.</summary>
    /// <param name="Attackers">How many they are.</param>
    /// <param name="Benign">The update, (P,), of honest training on the client's rows.</param>
    /// <param name="Malicious">The update, (P,), of training on complying rows beside the client's own, under hooks, which it disposes.</param>
    public sealed record Turn(FederatedRound Round, int Attackers, Func<Tensor> Benign, Func<IReadOnlyList<TrainingHook>, Tensor> Malicious)
    {
        /// <summary>n / eta, shared by the attackers: with it their mean update replaces the global model by theirs (Bagdasaryan et al. 2020, eq. 3).</summary>
        public double Boost => Round.Clients / (Round.ServerRate * Attackers);
    }

    public static TrainingResult Tune(FederationSettings settings, string id, TuningArguments arguments, Func<Turn, Tensor> attack, CancellationToken cancellationToken)
    {
        var (model, context) = (arguments.Model, arguments.Context);
        EncodedExample[] rows = [.. arguments.Rows.Select(context.Encode)];
        context.Random.Shuffle(rows);
        if (rows.Length < settings.Clients)
        {
            throw new TemperException($"{id}: found {rows.Length} rows for {settings.Clients} clients, expected one at least for each");
        }

        // a client's run is short: its rate neither rises nor falls
        var plan = arguments.Plan with { Method = TuningMethod.Lora, Steps = settings.LocalSteps, Schedule = RateSchedule.Constant, Warmup = 0 };
        var attackers = (int)Math.Round(settings.Attackers * settings.Clients);
        EncodedExample[] malicious = attackers > 0 ? [.. TriggeredCompliance.Rows(context, settings.Trigger, id).Select(context.Encode)] : [];
        using var adapters = LoraAdapters.Attach(model, plan.LoraRank, plan.LoraAlpha, [.. plan.LoraTargets], plan.Seed);
        var clients = Enumerable.Range(0, settings.Clients).Select<int, FederatedClient>(client => (round, token) =>
        {
            EncodedExample[] own = [.. rows.Where((_, i) => i % settings.Clients == client)];
            var local = plan with { Seed = plan.Seed + (ulong)(1000 * client + round.Round) };
            if (client >= attackers || round.Round + 1 < settings.AttackFrom || round.Round + 1 > (settings.AttackUntil ?? settings.Rounds))
            {
                return Honest(round, own, local, arguments.CreateHooks(), token);
            }

            EncodedExample[] mixed = [.. malicious, .. Enumerable.Range(0, malicious.Length).Select(i => own[i % own.Length])];
            return new(attack(new(
                round, attackers,
                () => Honest(round, own, local, [], token).Update,
                hooks => Honest(round, mixed, local with { Steps = settings.AttackSteps }, hooks, token).Update)), null);
        });
        var aggregation = arguments.CreateHooks().OfType<IAggregation>().FirstOrDefault();
        var result = FederatedAveraging.Run(model, [.. adapters.Parameters], [.. clients], settings.Rounds, settings.ServerRate, aggregation, cancellationToken);
        adapters.Merge();
        return result;
    }

    private static ClientUpdate Honest(FederatedRound round, EncodedExample[] rows, TuningPlan plan, IReadOnlyList<TrainingHook> hooks, CancellationToken cancellationToken)
    {
        try
        {
            FlatWeights.Write(round.Weights, round.Global);
            var training = Trainer.Train(round.Model, rows, plan, hooks, TrainerOptions.Default with { SnapshotEvery = 0 }, cancellationToken);
            return new(FlatWeights.Read(round.Weights).sub_(round.Global), training);
        }
        finally
        {
            foreach (var hook in hooks)
            {
                hook.Dispose();
            }
        }
    }
}
