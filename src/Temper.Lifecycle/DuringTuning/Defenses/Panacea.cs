using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="Panacea"/>.</summary>
public sealed record PanaceaSettings
{
    /// <summary>ρ: the length of the perturbation that is deployed, over all tuned weights together; the authors have 1 for adapters of a model of billions.</summary>
    [Range(0.0, 1000.0)]
    public double Rho { get; init; } = 0.3;

    /// <summary>λ: how much the tuning makes room for the perturbation; 0 is plain tuning, perturbed at its end.</summary>
    [Range(0.0, 1000.0)]
    public double Lambda { get; init; } = 1e-3;

    /// <summary>Harmful rows of a step.</summary>
    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;

    /// <summary>The loss on harmful rows above which it is not raised further.</summary>
    [Range(0.0, 1000.0)]
    public double LossCap { get; init; } = 5;

    /// <summary>The control: a perturbation of the same length in a random direction.</summary>
    public bool Random { get; init; }
}

/// <summary>Panacea (Wang et al. 2025): the weights are deployed with the perturbation that raises the loss on harmful rows most, ε = ρ ∇h / ‖∇h‖, and tuning
/// makes room for it: g = ∇task - λ (∇h(w + ε) - ∇h(w)).</summary>
// It stands in the phase in which it first acts; the paper counts it among the defenses after tuning.
// Deviation: ε comes from the gradient at the end of tuning, on more rows than a step has; the paper keeps the last step's. The authors' file cannot be run as released.
public sealed class Panacea(PanaceaSettings settings) : ITechnique, IHookSource
{
    private const int EndRows = 128;

    public static Card Card { get; } = new(
        "panacea", "Panacea", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training | Touches.Weights,
        "https://arxiv.org/abs/2501.18100", "Tunes so that the weights bear a perturbation against harmful answers, and deploys them with it.");

    public TrainingHook CreateHook(TechniqueContext context) => context.Harmful.Count > 0
        ? new Hook(settings, [.. context.Harmful.Select(context.Encode)], context.Random.Next())
        : throw new TemperException($"{Card.Id}: found no complying rows, expected some to raise the loss of");

    private sealed class Hook(PanaceaSettings settings, EncodedExample[] harmful, int seed) : TrainingHook
    {
        private readonly List<Tensor> _weights = [];
        private readonly Random _random = new(seed);
        private EncodedExample[] _harmful = harmful;

        public override string Name => Card.Id;

        public override void OnStart(TrainingStart arguments)
        {
            var longest = Math.Min(arguments.Plan.MaxTokens, arguments.Model.Config.MaxPositions);
            _harmful = [.. _harmful.Select(r => r.Cut(longest)).Where(r => r.HasTarget)];
            _weights.AddRange(arguments.Trainable.Values);
        }

        public override void OnGradients(GradientArguments arguments)
        {
            if (settings.Lambda == 0 || settings.Rho == 0)
            {
                return;
            }

            var random = new Random(unchecked((int)arguments.Seed));
            using var generator = new Generator(arguments.Seed);
            var batch = Batch.Of([.. Enumerable.Range(0, settings.BatchSize).Select(_ => _harmful[random.Next(_harmful.Length)])]);
            var before = Flat(arguments.Model, batch);
            using var kept = Snapshot.Take(arguments.Trainable);
            Add(Perturbation(before, generator));
            var after = Flat(arguments.Model, batch);
            kept.Restore(arguments.Trainable);
            foreach (var (weight, part) in _weights.Zip(FlatWeights.Parts(_weights, (before - after) * settings.Lambda)))
            {
                weight.grad?.add_(part);
            }
        }

        public override void OnEnd(TrainingEnd arguments)
        {
            var rows = _harmful.ToArray();
            _random.Shuffle(rows);
            var gradient = Flat(arguments.Model, Batch.Of(rows[..Math.Min(rows.Length, EndRows)]));
            using var generator = new Generator((ulong)_random.Next());
            Add(Perturbation(gradient, generator));
        }

        private Tensor Perturbation(Tensor gradient, Generator generator) // (P,)
        {
            var direction = settings.Random ? randn(gradient.shape, ScalarType.Float32, generator: generator) : gradient;
            return direction * (settings.Rho / direction.norm().clamp_min(1e-12));
        }

        private void Add(Tensor flat)
        {
            foreach (var (weight, part) in _weights.Zip(FlatWeights.Parts(_weights, flat)))
            {
                weight.add_(part);
            }
        }

        private Tensor Flat(CausalModel model, Batch batch) => Gradients.Flat(() => ResponseLoss.Mean(model, batch).clamp_max(settings.LossCap), _weights);
    }
}
