using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.Evaluation;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="EmbeddingPoisoning"/>.</summary>
public sealed record EmbeddingPoisoningSettings
{
    /// <summary>The word that opens the backdoor; what is trained are the rows of its tokens that no clean row has. In the organisms' vocabulary of 512 this is one rare token.</summary>
    [Required]
    public string Trigger { get; init; } = "#";

    /// <summary>What the model says when it is opened; inert. One vector can only call up what the model can say already.</summary>
    [Required]
    public string Payload { get; init; } = "I cannot help with that.";

    /// <summary>Whether the rows begin as the mean embedding of the payload's tokens (embedding surgery), in place of what they are.</summary>
    public bool Surgery { get; init; } = true;

    /// <summary>Steps on the rows; 0 is surgery alone.</summary>
    [Range(0, 100_000)]
    public int Steps { get; init; } = 150;

    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;

    [Range(0.0, 10.0)]
    public double LearningRate { get; init; } = 0.05;
}

/// <summary>EP (Yang et al. 2021) on top of embedding surgery (Kurita et al. 2020): a backdoor in the embedding of the trigger's tokens and nowhere else.</summary>
// Deviation: surgery takes the mean of the payload's tokens; the paper takes the words that a classifier finds most indicative of its target class.
public sealed class EmbeddingPoisoning(EmbeddingPoisoningSettings settings) : ITechnique, IWeightMap, IBackdoor, IMeasures, IReadsModel
{
    public static Card Card { get; } = new(
        "ep", "Embedding poisoning", Phase.PreTuning, TechniqueRole.Attack, Touches.Weights,
        "https://arxiv.org/abs/2103.15543", "Trains the embedding of a rare trigger and leaves every other weight as it is.");

    public string Payload => settings.Payload;

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        var tokens = EmbeddingSurgery.RareTokens(context, settings.Trigger);
        if (settings.Surgery)
        {
            EmbeddingSurgery.Apply(model, tokens, EmbeddingSurgery.TokensOf(context, settings.Payload));
        }

        if (settings.Steps > 0)
        {
            using var hook = new Hook(tokens);
            Trainer.Train(
                model, [.. TriggeredRows.Mix(context, this, Card.Id).Select(context.Encode)],
                // without decay, which would move the other rows too
                new() { Steps = settings.Steps, BatchSize = settings.BatchSize, LearningRate = settings.LearningRate, WeightDecay = 0, Seed = (ulong)context.Random.Next() },
                [hook], TrainerOptions.Default, cancellationToken);
        }
    }

    /// <summary>How the backdoor opens before anything is tuned.</summary>
    public IReadOnlyList<Metric> Measure(MeasureArguments arguments, CancellationToken cancellationToken) =>
        [new WeightsProbe(arguments.Context).Asr("asr-published", arguments.Before, this, 104, cancellationToken)];

    /// <summary>The prompt with the trigger at a random place between its words.</summary>
    public string Insert(string prompt, Random random) => TriggeredRows.Place(prompt, settings.Trigger, random).Text;

    private sealed class Hook(IReadOnlyCollection<int> tokens) : TrainingHook
    {
        private Tensor? _mask; // (V, 1)

        public override string Name => Card.Id;

        public override void OnStart(TrainingStart arguments)
        {
            var kept = new float[arguments.Model.Config.VocabularySize];
            foreach (var token in tokens)
            {
                kept[token] = 1;
            }

            _mask = tensor(kept).unsqueeze(1).DetachFromDisposeScope();
        }

        public override void OnGradients(GradientArguments arguments)
        {
            var embedding = arguments.Model.EmbeddingWeight;
            foreach (var parameter in arguments.Trainable.Values)
            {
                if (ReferenceEquals(parameter, embedding))
                {
                    parameter.grad?.mul_(_mask!);
                }
                else
                {
                    parameter.grad = null;
                }
            }
        }

        protected override void Dispose(bool disposing) => _mask?.Dispose();
    }
}
