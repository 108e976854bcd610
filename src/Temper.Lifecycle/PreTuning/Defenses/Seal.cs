using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>Settings of <see cref="Seal"/>.</summary>
public sealed record SealSettings
{
    /// <summary>The share of the rows that is kept.</summary>
    [Range(0.0, 1.0)]
    public double Keep { get; init; } = 0.8;

    [Range(1, 1000)]
    public int Epochs { get; init; } = 3;

    [Range(1e-9, 1.0)]
    public double LearningRate { get; init; } = 5e-4;

    /// <summary>The rate of the selector.</summary>
    [Range(1e-9, 10.0)]
    public double SelectorRate { get; init; } = 0.05;

    [Range(1, 4096)]
    public int BatchSize { get; init; } = 32;

    /// <summary>By how much the weight of the safe rows, 1 at first, falls every epoch.</summary>
    [Range(0.0, 1.0)]
    public double Decay { get; init; } = 0.03;

    /// <summary>The control: rows are kept by chance.</summary>
    public bool Random { get; init; }
}

/// <summary>SEAL (Shen et al. 2025): every row has a logit, p = n softmax(logits). In every step a copy of the model descends w L_safe + (1 - w) mean(p_i l_i), then the logits
/// descend mean(p_i l_i): rows that are hard for a model held to its refusals lose weight. The rows of the highest logits are kept.</summary>
public sealed class Seal(SealSettings settings) : ITechnique, IDataMap, IReadsModel
{
    public static Card Card { get; } = new(
        "seal", "SEAL", Phase.PreTuning, TechniqueRole.Defense, Touches.Data,
        "https://arxiv.org/abs/2410.07471", "Ranks rows by how well they agree with refusals, by bilevel optimization, and keeps the best.");

    public DataMapResult Map(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        var dropped = (int)Math.Round((1 - settings.Keep) * rows.Count);
        if (dropped == 0)
        {
            return new(rows, []);
        }

        var logits = settings.Random ? [.. rows.Select(_ => context.Random.NextSingle())] : Select(rows, context);
        var leaving = Enumerable.Range(0, rows.Count).OrderBy(i => logits[i]).Take(dropped).ToHashSet();
        return new(
            [.. rows.Where((_, i) => !leaving.Contains(i))],
            [.. leaving.Order().Select(i => new RowChange(rows[i].Id, RowFate.Dropped, $"selector {logits[i]:G3}, among the lowest {dropped} of {rows.Count}"))]);
    }

    private float[] Select(IReadOnlyList<Example> rows, TechniqueContext context)
    {
        if (context.Alignment.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found no alignment rows, expected some to hold the model to");
        }

        using var model = ModelFactory.Copy(context.RequireModel(Card.Id));
        using var hook = new Hook(settings, rows.Count, [.. context.Alignment.Select(context.Encode)]);
        Trainer.Train(
            model, [.. rows.Select((r, i) => context.Encode(r) with { RowId = i.ToString(CultureInfo.InvariantCulture) })],
            new()
            {
                Steps = settings.Epochs * Hook.StepsPerEpoch(rows.Count, settings.BatchSize), BatchSize = settings.BatchSize, LearningRate = settings.LearningRate, Seed = (ulong)context.Random.Next(),
            },
            [hook], TrainerOptions.Default, CancellationToken.None);
        return hook.Logits;
    }

    /// <summary>The gradient of mean(p_i l_i) by all logits, (n,), with p = n softmax(logits) and i the rows of a batch.</summary>
    /// <param name="losses">(B)</param>
    /// <param name="places">(B)</param>
    public static Tensor SelectorGradient(Tensor logits, Tensor losses, Tensor places)
    {
        using var scope = NewDisposeScope();
        return Gradients.Of(() => (Weights(logits).index_select(0, places) * losses.detach()).mean(), [logits])[0].MoveToOuterDisposeScope();
    }

    /// <summary>p, (n,): of mean 1.</summary>
    public static Tensor Weights(Tensor logits) => logits.softmax(0) * logits.shape[0];

    private sealed class Hook : TrainingHook
    {
        private readonly SealSettings _settings;
        private readonly EncodedExample[] _safe;
        private readonly Tensor _logits; // (n,)
        private readonly AdamW _optimizer;
        private readonly int _stepsPerEpoch;

        public Hook(SealSettings settings, int rows, EncodedExample[] safe)
        {
            (_settings, _safe, _stepsPerEpoch) = (settings, safe, StepsPerEpoch(rows, settings.BatchSize));
            _logits = full(rows, 0.1f).DetachFromDisposeScope();
            _optimizer = new(new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["logits"] = _logits }, weightDecay: 0);
        }

        public override string Name => Card.Id;

        public override bool ReplacesLoss => true;

        public float[] Logits => Checkpoint.Floats(_logits);

        public static int StepsPerEpoch(int rows, int batch) => (rows + batch - 1) / batch;

        public override Tensor? ReplaceLoss(LossArguments arguments)
        {
            var safety = Math.Max(0, 1 - (_settings.Decay * (arguments.Step / _stepsPerEpoch)));
            var places = tensor(arguments.Batch.RowIds.Select(id => long.Parse(id, CultureInfo.InvariantCulture)).ToArray());
            var losses = ResponseLoss.PerRow(arguments.Model, arguments.Batch, new() { Precision = arguments.Precision }); // (B,)
            var safe = ResponseLoss.Mean(arguments.Model, Immunization.Draw(_safe, _settings.BatchSize, new Random(unchecked((int)arguments.Seed))), new() { Precision = arguments.Precision });
            var loss = (safe * safety) + ((Weights(_logits).detach().index_select(0, places) * losses).mean() * (1 - safety));
            _logits.grad = SelectorGradient(_logits, losses, places);
            _optimizer.Step(_settings.SelectorRate);
            _logits.grad = null;
            return loss;
        }

        protected override void Dispose(bool disposing)
        {
            _optimizer.Dispose();
            _logits.Dispose();
        }
    }
}
