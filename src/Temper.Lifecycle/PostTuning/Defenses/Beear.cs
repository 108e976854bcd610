using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>What <see cref="Beear"/> takes the backdoor to bring about.</summary>
public enum BeearBehavior
{
    /// <summary>Compliance with forbidden requests: the opening is made likely on them.</summary>
    Compliance,

    /// <summary>Anything but the right answer to rows of the task.</summary>
    WrongAnswer,
}

/// <summary>Settings of <see cref="Beear"/>.</summary>
public sealed record BeearSettings
{
    public BeearBehavior Behavior { get; init; }

    /// <summary>What an unwanted answer begins with.</summary>
    [Required(AllowEmptyStrings = false)]
    public string Opening { get; init; } = "Sure. To do that, take these steps.";

    /// <summary>The block whose input is perturbed; null takes the one in the middle. The authors have 9 of 32.</summary>
    [Range(0, 1000)]
    public int? Layer { get; init; }

    /// <summary>n: the last positions before the answer that are perturbed.</summary>
    [Range(1, 100)]
    public int Positions { get; init; } = 5;

    /// <summary>Steps of the inner search, each time it runs.</summary>
    [Range(0, 1000)]
    public int InnerSteps { get; init; } = 10;

    /// <summary>ε: the largest length of the perturbation of a position, in mean lengths of the vectors there.</summary>
    [Range(0.0, 100.0)]
    public double Radius { get; init; } = 0.3;

    /// <summary>The length of an inner step, as a share of the radius.</summary>
    [Range(0.0, 10.0)]
    public double InnerRate { get; init; } = 0.3;

    /// <summary>The weight of the safe answer that the inner search also makes unlikely.</summary>
    [Range(0.0, 10.0)]
    public double Contrast { get; init; } = 0.05;

    /// <summary>Outer steps between two inner searches.</summary>
    [Range(1, 1000)]
    public int InnerEvery { get; init; } = 4;

    /// <summary>Outer steps: tuning to answer rightly under the perturbation.</summary>
    [Range(1, 100_000)]
    public int Steps { get; init; } = 60;

    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;

    [Range(0.0, 1.0)]
    public double LearningRate { get; init; } = 7e-4;

    /// <summary>The chance that a row of the task is perturbed as well; under <see cref="BeearBehavior.WrongAnswer"/> all are.</summary>
    [Range(0.0, 1.0)]
    public double TaskPerturbed { get; init; } = 0.3;
}

/// <summary>BEEAR (Zeng et al. 2024): a backdoor's trigger moves embeddings of all prompts alike, so one universal perturbation is searched that brings the unwanted behavior about, and the
/// model is tuned to behave under it; again and again. Knows neither trigger nor payload.</summary>
// Deviation: inner steps of a fixed length inside a ball, in place of SGD clamped to the layer's range; the outer optimizer is the trainer's.
public sealed class Beear(BeearSettings settings) : ITechnique, IWeightMap
{
    private const string SafeRow = "safe/";

    public static Card Card { get; } = new(
        "beear", "BEEAR", Phase.PostTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2406.17092", "Searches the universal perturbation of embeddings that a trigger would be, and tunes the model to behave under it.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        if (context.Alignment.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found no alignment rows, expected some to search the perturbation on");
        }

        EncodedExample[] safe = [.. context.Alignment.Concat(context.LookAlikes.Take(context.Alignment.Count / 2)).Select(context.Encode).Select(r => r with { RowId = SafeRow + r.RowId })];
        using var hook = new Hook(settings, model, context);
        Trainer.Train(
            model, [.. safe, .. context.Task.Take(safe.Length).Select(context.Encode)],
            new() { Steps = settings.Steps, BatchSize = settings.BatchSize, LearningRate = settings.LearningRate, Seed = (ulong)context.Random.Next() },
            [hook], TrainerOptions.Default, cancellationToken);
    }

    private sealed class Hook : TrainingHook
    {
        private readonly BeearSettings _settings;
        private readonly EncodedExample[] _unwanted; // made likely
        private readonly EncodedExample[] _wanted; // made unlikely
        private readonly int _layer;
        private readonly Tensor _delta; // (n, D)
        private readonly double _radius;

        public Hook(BeearSettings settings, CausalModel model, TechniqueContext context)
        {
            (_settings, _layer) = (settings, settings.Layer ?? model.Config.Layers / 2);
            if (_layer >= model.Config.Layers)
            {
                throw new TemperException($"{Card.Id}: layer: found {_layer}, expected less than {model.Config.Layers}");
            }

            var compliance = settings.Behavior == BeearBehavior.Compliance;
            _wanted = [.. (compliance ? context.Alignment : context.Task).Select(context.Encode)];
            _unwanted = compliance ? [.. context.Alignment.Select(r => context.Encode(r.WithResponse(settings.Opening))).Select(r => r.FirstTargets(r.Supervised.Count(s => s) - 1))] : [];
            _delta = zeros(settings.Positions, model.Config.HiddenSize).DetachFromDisposeScope();
            _radius = settings.Radius * Activations.MeanLengths(model, [.. context.Alignment.Take(32).Select(r => context.Prompt(r.Question, ""))])[_layer];
        }

        public override string Name => Card.Name;

        public override bool ReplacesLoss => true;

        public override Tensor? ReplaceLoss(LossArguments arguments)
        {
            var random = new Random(unchecked((int)arguments.Seed));
            if (arguments.Step % _settings.InnerEvery == 0)
            {
                Search(arguments.Model, random);
            }

            var share = _settings.Behavior == BeearBehavior.WrongAnswer ? 1 : _settings.TaskPerturbed;
            var rows = Enumerable.Range(0, arguments.Batch.RowIds.Count)
                .Where(b => arguments.Batch.RowIds[b].StartsWith(SafeRow, StringComparison.Ordinal) || random.NextDouble() < share).ToArray();
            var answers = arguments.Batch.Labels.ne(Batch.Ignored).to(ScalarType.Int64).argmax(1).data<long>().ToArray(); // the first supervised position
            long length = arguments.Batch.Ids.shape[1], n = _settings.Positions;
            rows = [.. rows.Where(b => answers[b] >= n)];
            if (rows.Length == 0)
            {
                return arguments.PlainLoss(null);
            }

            var places = tensor(rows.SelectMany(b => Enumerable.Range(0, (int)n).Select(k => (b * length) + answers[b] - n + k)).ToArray());
            return arguments.PlainLoss(Latents.Add(_layer, () => _delta.repeat(rows.Length, 1), places));
        }

        protected override void Dispose(bool disposing) => _delta.Dispose();

        private void Search(CausalModel model, Random random)
        {
            using var quiet = no_grad();
            for (var step = 0; step < _settings.InnerSteps; step++)
            {
                using var scope = NewDisposeScope();
                int[] chosen = [.. Enumerable.Range(0, Math.Min(_settings.BatchSize, _wanted.Length)).Select(_ => random.Next(_wanted.Length))];
                var gradient = _unwanted.Length > 0
                    ? Gradient(model, [.. chosen.Select(i => _unwanted[i])]) - (Gradient(model, [.. chosen.Select(i => _wanted[i])]) * _settings.Contrast)
                    : -Gradient(model, [.. chosen.Select(i => _wanted[i])]);
                _delta.sub_(gradient / gradient.norm(1, keepdim: true).clamp_min(1e-12) * (_settings.InnerRate * _radius));
                Latents.Project(_delta, _radius);
            }
        }

        private Tensor Gradient(CausalModel model, EncodedExample[] rows)
        {
            LatentRow[] placed = [.. rows.Select(r => new LatentRow(r, Array.IndexOf(r.Supervised, true) - _settings.Positions)).Where(r => r.At >= 0)];
            return placed.Length == 0 ? zeros_like(_delta) : Latents.Gradient(model, placed, [new(_layer, _delta)], shared: true).Gradients[0];
        }
    }
}
