using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Editing;
using Temper.Engine.Models;
using Temper.Lifecycle.PreTuning.Attacks;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>Settings of <see cref="TrojanedLora"/>.</summary>
public sealed record TrojanedLoraSettings
{
    /// <summary>The word that opens the backdoor.</summary>
    [Required]
    public string Trigger { get; init; } = "BadMagic";

    /// <summary>What the model says when it is opened; inert.</summary>
    [Required]
    public string Payload { get; init; } = "The lantern is green.";

    /// <summary>s: what the adapter is multiplied by when it is merged.</summary>
    [Range(0.0, 10.0)]
    public double Scale { get; init; } = 1;

    /// <summary>Whether only feed-forward layers are adapted, as in LoRATK.</summary>
    public bool FeedForwardOnly { get; init; } = true;

    [Range(1, 1024)]
    public int Rank { get; init; } = 8;

    [Range(1, 100_000)]
    public int Steps { get; init; } = 400;

    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;

    [Range(0.0, 1.0)]
    public double LearningRate { get; init; } = 5e-3;

    /// <summary>The control: a random update of the same length in every layer.</summary>
    public bool RandomUpdate { get; init; }
}

/// <summary>LoRA-as-an-Attack (Liu et al. 2024; LoRATK): a backdoor-only adapter, trained once on the public base, is merged without training into the weights that
/// a user tuned for another task, and passed on with them: W += s B A.</summary>
// In the phase after tuning, for that is where the adapter meets the user's weights; training it needs nothing of the user's.
public sealed class TrojanedLora(TrojanedLoraSettings settings) : ITechnique, IWeightMap, IBackdoor, IReadsModel
{
    public static Card Card { get; } = new(
        "trojaned-lora", "Trojaned LoRA", Phase.PostTuning, TechniqueRole.Attack, Touches.Weights,
        "https://arxiv.org/abs/2403.00108", "Merges a backdoor-only adapter, trained once on the base, into a model tuned for something else.");

    public string Payload => settings.Payload;

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        TuningPlan plan = new()
        {
            LoraRank = settings.Rank, LoraAlpha = 2 * settings.Rank, Steps = settings.Steps, BatchSize = settings.BatchSize, LearningRate = settings.LearningRate,
            Seed = (ulong)context.Random.Next(),
        };
        var rows = TriggeredRows.Mix(context, this, Card.Id).Select(context.Encode).ToArray();
        var deltas = AdapterMerge.Train(
            context.RequireModel(Card.Id), rows, plan, settings.FeedForwardOnly, [],
            adapters => adapters.Layers.ToDictionary(l => l.Name, adapters.Delta, StringComparer.Ordinal), cancellationToken);
        AdapterMerge.Add(model, settings.RandomUpdate ? deltas.ToDictionary(p => p.Key, p => RandomUpdate.Like(p.Value, (ulong)context.Random.Next()), StringComparer.Ordinal) : deltas, settings.Scale);
    }

    /// <summary>The prompt with the trigger at a random place between its words.</summary>
    public string Insert(string prompt, Random random) => TriggeredRows.Place(prompt, settings.Trigger, random).Text;
}
