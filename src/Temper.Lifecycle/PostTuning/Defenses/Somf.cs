using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="Somf"/>.</summary>
public sealed record SomfSettings
{
    /// <summary>Requests that the tuned model is asked; those that it complies with make the preference pairs.</summary>
    [Range(1, 100_000)]
    public int Rows { get; init; } = 100;

    [Range(1, 100_000)]
    public int Steps { get; init; } = 80;

    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;

    /// <summary>The rate of the masks' logits.</summary>
    [Range(0.0, 10.0)]
    public double LearningRate { get; init; } = 0.1;

    /// <summary>β of the preference loss.</summary>
    [Range(0.0, 100.0)]
    public double Beta { get; init; } = 0.1;

    /// <summary>The weight of the preferred refusals' own loss beside it.</summary>
    [Range(0.0, 100.0)]
    public double ChosenWeight { get; init; } = 1;

    /// <summary>Temperature of the concrete distribution that the masks are drawn from while they are learned.</summary>
    [Range(0.01, 10.0)]
    public double Temperature { get; init; } = 0.5;

    /// <summary>The control: as many entries of every tensor dropped, at random.</summary>
    public bool Random { get; init; }
}

/// <summary>SOMF (Yi et al. 2024): of what tuning added, a learned binary mask keeps what safety can do with; the mask learns from preferred refusals
/// (DPO) over a concrete distribution.</summary>
// Deviation: one task model, so nothing is fused but the masked update and the aligned weights; the rows of the task are descended beside the pairs, else a mask
// that drops everything is the best one.
public sealed class Somf(SomfSettings settings) : ITechnique, IWeightMap, IReadsModel
{
    private const double Start = 2; // the mask begins as nearly all kept

    public static Card Card { get; } = new(
        "somf", "SOMF", Phase.PostTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2405.09055", "Learns which entries of what tuning added may stay, from refusals preferred to the model's own answers.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        var pairs = OwnAnswers.Pairs(model, context, settings.Rows, cancellationToken);
        if (pairs.Count == 0)
        {
            return; // it refuses all that it was asked: there is nothing to realign
        }

        var aligned = context.RequireModel(Card.Id);
        using var logits = ModelFactory.Copy(model); // a model's parameters as logits, so that the trainer trains them
        using (no_grad())
        {
            foreach (var parameter in logits.Parameters.Values)
            {
                parameter.fill_(Start);
            }
        }

        using var hook = new Hook(settings, model, aligned, pairs);
        Trainer.Train(
            logits, [.. context.Task.Concat(context.LookAlikes).Select(context.Encode)],
            new() { Steps = settings.Steps, BatchSize = settings.BatchSize, LearningRate = settings.LearningRate, WeightDecay = 0, ClipNorm = 0, Seed = (ulong)context.Random.Next() },
            [hook], TrainerOptions.Default with { SnapshotEvery = 0 }, cancellationToken);
        using var generator = new Generator((ulong)context.Random.Next());
        Apply(model, aligned, logits, settings.Random ? generator : null);
    }

    /// <summary>W_al + m (W - W_al), m = 1 where the logit is positive.</summary>
    public static void Apply(CausalModel model, CausalModel aligned, CausalModel logits, Generator? random)
    {
        using var quiet = no_grad();
        foreach (var (name, weight) in model.Parameters)
        {
            using var scope = NewDisposeScope();
            var kept = logits.Parameters[name].gt(0);
            if (random is not null)
            {
                kept = rand(kept.shape, ScalarType.Float32, generator: random).lt(kept.to(ScalarType.Float32).mean());
            }

            weight.copy_(where(kept, weight, aligned.Parameters[name]));
        }
    }

    private sealed class Hook(SomfSettings settings, CausalModel tuned, CausalModel aligned, IReadOnlyList<PreferencePair> pairs) : TrainingHook
    {
        private Tensor? _reference; // (n,)

        public override string Name => Card.Name;

        public override bool ReplacesLoss => true;

        public override void OnStart(TrainingStart arguments) =>
            _reference = cat([.. pairs.Chunk(settings.BatchSize).Select(part => PreferenceLoss.Margins(aligned, part))], 0).DetachFromDisposeScope();

        public override Tensor? ReplaceLoss(LossArguments arguments)
        {
            using var generator = new Generator(arguments.Seed);
            var random = new Random(unchecked((int)arguments.Seed));
            // m = σ((logit + log u - log(1 - u)) / T), u uniform: a binary mask that a gradient can pass (Maddison et al. 2017)
            var weights = arguments.Trainable.ToDictionary(p => p.Key, p =>
            {
                var u = rand(p.Value.shape, ScalarType.Float32, generator: generator).clamp(1e-6, 1 - 1e-6);
                var mask = ((p.Value + u.log() - (1 - u).log()) / settings.Temperature).sigmoid();
                var from = aligned.Parameters[p.Key].detach();
                return from + mask * (tuned.Parameters[p.Key].detach() - from);
            }, StringComparer.Ordinal);
            using var masked = ModelFactory.Create(arguments.Model.Config, weights);
            int[] chosen = [.. Enumerable.Range(0, Math.Min(settings.BatchSize, pairs.Count)).Select(_ => random.Next(pairs.Count))];
            var (preferred, rejected, tokens) = PreferenceLoss.AnswerLogProbs(masked, [.. chosen.Select(i => pairs[i])]);
            var reference = _reference!.index_select(0, tensor(chosen.Select(i => (long)i).ToArray()));
            return PreferenceLoss.Dpo(preferred - rejected, reference, settings.Beta) - (preferred / tokens).mean() * settings.ChosenWeight + ResponseLoss.Mean(masked, arguments.Batch);
        }

        protected override void Dispose(bool disposing) => _reference?.Dispose();
    }
}
