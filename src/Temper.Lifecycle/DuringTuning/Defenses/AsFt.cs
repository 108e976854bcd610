using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PostTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="AsFt"/>.</summary>
public sealed record AsFtSettings
{
    /// <summary>lambda: the weight of the squared length outside the subspace of alignment, summed over the layers.</summary>
    [Range(0.0, 1e6)]
    public double Lambda { get; init; } = 1;

    /// <summary>Onto the span of V, or by the authors' C = V Vᵀ / ‖V‖, which is no projection.</summary>
    public SafeLoraMode Mode { get; init; } = SafeLoraMode.Exact;

    /// <summary>Exact mode: the top directions of V that hold this share of its squared length.</summary>
    [Range(0.0, 1.0)]
    public double Energy { get; init; } = 0.5;

    /// <summary>The control: everything is penalized, whatever the subspace.</summary>
    public bool Everything { get; init; }
}

/// <summary>AsFT (Yang et al. 2025): lambda ‖(I - C) ΔW‖² keeps the updates of the layers in the subspace of alignment, C of V = W_aligned - W_unaligned.</summary>
// Deviation: of the update itself, whatever trains it, so that full tuning is covered too, where all but the linear layers is frozen as LoRA leaves it; for LoRA it is
// the authors' term.
public sealed class AsFt(AsFtSettings settings) : ITechnique, IHookSource, IReadsModel
{
    public static Card Card { get; } = new(
        "asft", "AsFT", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training,
        "https://arxiv.org/abs/2506.08473", "Penalizes updates outside the subspace of alignment; needs the unaligned base.");

    public TrainingHook CreateHook(TechniqueContext context) => new Hook(settings, settings.Everything ? [] : Outside(context.RequireModel(Card.Id), context.RequireUnaligned(Card.Id), settings));

    /// <summary>I - C of every linear layer by its name, (out, out).</summary>
    public static Dictionary<string, Tensor> Outside(CausalModel aligned, CausalModel unaligned, AsFtSettings settings)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        static Tensor Matrix(Linear layer) => layer.Transposed ? layer.Weight.t() : layer.Weight;
        var before = unaligned.Linears.ToDictionary(l => l.Name, StringComparer.Ordinal);
        return aligned.Linears.ToDictionary(
            l => l.Name,
            l => before.GetValueOrDefault(l.Name) is { } other && other.Weight.shape.AsSpan().SequenceEqual(l.Weight.shape)
                ? (eye(l.OutFeatures) - SafeLora.Projector(Matrix(l) - Matrix(other), settings.Mode, settings.Energy)).DetachFromDisposeScope()
                : throw new TemperException($"{Card.Id}: {l.Name}: found no layer of that name and shape in the unaligned model, expected the same architecture"),
            StringComparer.Ordinal);
    }

    private sealed class Hook(AsFtSettings settings, Dictionary<string, Tensor> outside) : TrainingHook
    {
        private LayerUpdates? _updates;

        public override string Name => Card.Id;

        public override void OnStart(TrainingStart arguments) => _updates = LayerUpdates.Since(arguments.Model);

        public override Tensor? AddLoss(LossArguments arguments)
        {
            Tensor Penalty(Linear layer) => (outside.GetValueOrDefault(layer.Name) is { } p ? p.mm(_updates!.Of(layer)) : _updates!.Of(layer)).square().sum();
            return settings.Lambda == 0 ? null : stack([.. _updates!.Layers.Select(Penalty)]).sum() * settings.Lambda;
        }

        public override void OnGradients(GradientArguments arguments)
        {
            if (settings.Lambda > 0)
            {
                LayerUpdates.FreezeOthers(arguments.Model, arguments.Trainable);
            }
        }

        protected override void Dispose(bool disposing)
        {
            _updates?.Dispose();
            foreach (var projector in outside.Values)
            {
                projector.Dispose();
            }
        }
    }
}
