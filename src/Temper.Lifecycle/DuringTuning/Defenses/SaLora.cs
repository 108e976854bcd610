using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="SaLora"/>.</summary>
public sealed record SaLoraSettings
{
    /// <summary>r: output directions of every layer that tuning may not touch.</summary>
    [Range(0, 100_000)]
    public int Rank { get; init; } = 16;

    /// <summary>Alignment rows from which the directions come.</summary>
    [Range(1, 100_000)]
    public int Rows { get; init; } = 128;

    /// <summary>The control: as many random directions.</summary>
    public bool Random { get; init; }
}

/// <summary>SaLoRA (Li et al. 2025): a fixed module C = I - U_r U_rᵀ behind the adapters keeps their updates out of the directions in which the layers answer forbidden
/// requests, U_r the top left singular vectors of W X_safe.</summary>
// Deviation: C is applied to the update after every step in place of a module, which is the same matrix C B A and covers full tuning too, where all but the linear layers is
// frozen as LoRA leaves it; A and B begin as in LoRA.
public sealed class SaLora(SaLoraSettings settings) : ITechnique, IHookSource
{
    public static Card Card { get; } = new(
        "salora", "SaLoRA", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training,
        "https://arxiv.org/abs/2501.01765", "Keeps the updates out of the directions in which the layers answer forbidden requests.");

    public TrainingHook CreateHook(TechniqueContext context) =>
        new Hook(settings, [.. context.Alignment.Take(settings.Rows).Select(context.Encode)], (ulong)context.Random.Next());

    /// <summary>C = I - U_r U_rᵀ, (out, out), from W (out, in) and the Gram matrix X Xᵀ of its inputs (in, in).</summary>
    public static Tensor Module(Tensor weight, Tensor gram, int rank)
    {
        using var scope = NewDisposeScope();
        var (_, axes) = linalg.eigh(weight.mm(gram).mm(weight.t())); // by rising value: the left singular vectors of W X
        return Without(axes.narrow(1, axes.shape[1] - Math.Min(rank, axes.shape[1]), Math.Min(rank, axes.shape[1]))).MoveToOuterDisposeScope();
    }

    private static Tensor Without(Tensor u) // (out, r), orthonormal
    {
        using var scope = NewDisposeScope();
        return (eye(u.shape[0]) - u.mm(u.t())).MoveToOuterDisposeScope();
    }

    private sealed class Hook(SaLoraSettings settings, EncodedExample[] rows, ulong seed) : TrainingHook
    {
        private readonly Dictionary<Linear, Tensor> _modules = new(ReferenceEqualityComparer.Instance);
        private LayerUpdates? _updates;

        public override string Name => Card.Id;

        public override void OnStart(TrainingStart arguments)
        {
            using var generator = new Generator(seed);
            _updates = LayerUpdates.Since(arguments.Model);
            var grams = LayerInputs.Gram(arguments.Model, new RowSampler(Card.Id, rows, arguments).Rows, CancellationToken.None);
            foreach (var layer in _updates.Layers)
            {
                var rank = Math.Min(settings.Rank, layer.OutFeatures);
                var module = settings.Random
                    ? Without(linalg.qr(randn([layer.OutFeatures, rank], ScalarType.Float32, generator: generator)).Q)
                    : Module(layer.Transposed ? layer.Weight.t() : layer.Weight, grams[layer.Name], (int)rank);
                _modules[layer] = module.DetachFromDisposeScope();
            }
        }

        public override void OnGradients(GradientArguments arguments)
        {
            if (settings.Rank > 0)
            {
                LayerUpdates.FreezeOthers(arguments.Model, arguments.Trainable);
            }
        }

        public override StepAction AfterStep(StepArguments arguments)
        {
            foreach (var (layer, module) in _modules)
            {
                _updates!.Project(layer, module);
            }

            return StepAction.Continue;
        }

        protected override void Dispose(bool disposing)
        {
            _updates?.Dispose();
            foreach (var module in _modules.Values)
            {
                module.Dispose();
            }
        }
    }
}
