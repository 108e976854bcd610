using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="SafeGrad"/>.</summary>
public sealed record SafeGradSettings
{
    /// <summary>Alignment rows in a step.</summary>
    [Range(1, 4096)]
    public int Rows { get; init; } = 16;

    /// <summary>rho: the weight of the alignment gradient that is added to the user's; 0 only operates on the user's.</summary>
    [Range(0.0, 1e6)]
    public double Rho { get; init; } = 0.3;

    /// <summary>Whether the user's gradient is operated on; without it the alignment loss alone is left, the control.</summary>
    public bool Surgery { get; init; } = true;
}

/// <summary>SafeGrad (Yi et al. 2025): where the user's gradient runs against that of alignment, it is projected onto the plane normal to it; the alignment loss is the
/// divergence from the aligned model on alignment rows.</summary>
public sealed class SafeGrad(SafeGradSettings settings) : ITechnique, IHookSource
{
    private const double Nothing = 1e-6;

    public static Card Card { get; } = new(
        "safe-grad", "SafeGrad", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training,
        "https://arxiv.org/abs/2508.07172", "Takes from the user's gradient what runs against the gradient of alignment.");

    public TrainingHook CreateHook(TechniqueContext context) => new Hook(settings, [.. context.Alignment.Select(context.Encode)]);

    /// <summary>g - min(0, ⟨g, a⟩) a / ||a||²: as it is where it does not run against a.</summary>
    public static Tensor Operate(Tensor user, Tensor alignment)
    {
        using var scope = NewDisposeScope();
        return (user - (alignment * (user.dot(alignment).clamp_max(0) / alignment.dot(alignment).clamp_min(1e-30)))).MoveToOuterDisposeScope();
    }

    private sealed class Hook(SafeGradSettings settings, EncodedExample[] rows) : TrainingHook
    {
        private CausalModel? _teacher;
        private RowSampler? _alignment;

        public override string Name => Card.Id;

        public override void OnStart(TrainingStart arguments)
        {
            _alignment = new(Card.Id, rows, arguments);
            _teacher = ConstrainedSft.Reference(arguments.Model);
        }

        public override void OnGradients(GradientArguments arguments)
        {
            Tensor[] weights = [.. arguments.Trainable.Values.Where(w => w.grad is not null)];
            var batch = _alignment!.Draw(settings.Rows, arguments.Seed);
            ForwardOptions options = new() { Precision = arguments.Precision };
            var model = arguments.Model;
            var alignment = Gradients.Flat(() => ResponseLoss.Divergence(model, _teacher!, batch, options), weights); // (P,)
            var user = cat([.. weights.Select(w => w.grad!.reshape(-1))], 0);
            if (alignment.norm().item<float>() <= Nothing * user.norm().item<float>())
            {
                return; // as at the start: AdamW would make whole steps of rounding errors
            }

            FlatWeights.Write([.. weights.Select(w => w.grad!)], (settings.Surgery ? Operate(user, alignment) : user) + (alignment * settings.Rho));
        }

        protected override void Dispose(bool disposing) => _teacher?.Dispose();
    }
}
