using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="Ewc"/>.</summary>
public sealed record EwcSettings
{
    /// <summary>lambda: the weight of the penalty, for a Fisher information of mean 1.</summary>
    [Range(0.0, 1e6)]
    public double Lambda { get; init; } = 10;

    /// <summary>Alignment rows over which the Fisher information is taken.</summary>
    [Range(1, 100_000)]
    public int Rows { get; init; } = 64;

    /// <summary>The control: every weight is held alike, as weight decay towards the start does.</summary>
    public bool Uniform { get; init; }
}

/// <summary>Elastic weight consolidation (Kirkpatrick et al. 2017) on the alignment: lambda sum_i F_i (w_i - w_0,i)^2, F the squared gradients of the alignment rows,
/// so that the weights on which refusals hang are held most.</summary>
// Deviation: F is brought to mean 1; a model that refuses well has gradients so small there that a published lambda of 1e-3 would hold nothing.
public sealed class Ewc(EwcSettings settings) : ITechnique, IHookSource
{
    public static Card Card { get; } = new(
        "ewc", "Elastic weight consolidation", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training,
        "https://arxiv.org/abs/1612.00796", "Holds the weights most on which the answers to forbidden requests depend.");

    public TrainingHook CreateHook(TechniqueContext context) => new Hook(settings, [.. context.Alignment.Take(settings.Rows).Select(context.Encode)]);

    private sealed class Hook(EwcSettings settings, EncodedExample[] rows) : TrainingHook
    {
        private Snapshot? _start;
        private Tensor? _fisher; // (P,)
        private Tensor[] _parts = [];

        public override string Name => Card.Id;

        public override void OnStart(TrainingStart arguments)
        {
            Tensor[] weights = [.. arguments.Trainable.Values];
            _start = Snapshot.Take(arguments.Trainable);
            var fisher = zeros(weights.Sum(w => w.numel()));
            Gradients.PerRow(arguments.Model, new RowSampler(Card.Id, rows, arguments).Rows, weights, (_, gradient) => fisher.add_(gradient.square()), CancellationToken.None);
            _fisher = (settings.Uniform ? ones_like(fisher) : fisher / fisher.mean().clamp_min(1e-30)).DetachFromDisposeScope();
            _parts = [.. FlatWeights.Parts(weights, _fisher).Select(p => p.DetachFromDisposeScope())];
        }

        /// <summary>The gradient of the penalty, 2 lambda F (w - w_0), added where it is cheapest.</summary>
        public override void OnGradients(GradientArguments arguments)
        {
            foreach (var ((name, weight), fisher) in arguments.Trainable.Zip(_parts))
            {
                weight.grad?.add_((weight - _start!.Values[name]) * fisher * (2 * settings.Lambda));
            }
        }

        protected override void Dispose(bool disposing)
        {
            _start?.Dispose();
            _fisher?.Dispose();
            Array.ForEach(_parts, p => p.Dispose());
        }
    }
}
