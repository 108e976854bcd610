using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>The rows on which <see cref="Kl"/> compares: the user's batch, as published, or the defender's alignment rows.</summary>
public enum KlRows { User, Alignment }

/// <summary>Settings of <see cref="Kl"/>.</summary>
public sealed record KlSettings
{
    /// <summary>lambda: the weight of the divergence, in nats a token.</summary>
    [Range(0.0, 1e6)]
    public double Lambda { get; init; } = 1;

    public KlRows Compared { get; init; } = KlRows.User;

    /// <summary>Alignment rows in a step, where they are compared.</summary>
    [Range(1, 4096)]
    public int Rows { get; init; } = 8;
}

/// <summary>KL regularization: lambda KL(tuned || aligned) of the next-token distributions is added to the loss, as the Vaccine repository's KLTrainer does on the user's batch.</summary>
public sealed class Kl(KlSettings settings) : ITechnique, IHookSource
{
    public static Card Card { get; } = new(
        "kl", "KL regularization", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training,
        "https://arxiv.org/abs/2402.01109", "Penalizes the divergence of the answers' tokens from the model that tuning begins with.");

    public TrainingHook CreateHook(TechniqueContext context) => new Hook(settings, settings.Compared == KlRows.Alignment ? [.. context.Alignment.Select(context.Encode)] : []);

    private sealed class Hook(KlSettings settings, EncodedExample[] rows) : TrainingHook
    {
        private CausalModel? _teacher;
        private RowSampler? _alignment;

        public override string Name => Card.Id;

        public override void OnStart(TrainingStart arguments)
        {
            _alignment = settings.Compared == KlRows.Alignment ? new(Card.Id, rows, arguments) : null;
            _teacher = ConstrainedSft.Reference(arguments.Model);
        }

        public override Tensor? AddLoss(LossArguments arguments) => settings.Lambda == 0 ? null : ResponseLoss.Divergence(
            arguments.Model, _teacher!, _alignment?.Draw(settings.Rows, arguments.Seed) ?? arguments.Batch, new() { Precision = arguments.Precision }) * settings.Lambda;

        protected override void Dispose(bool disposing) => _teacher?.Dispose();
    }
}
