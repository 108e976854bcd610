using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="DpSgd"/>.</summary>
public sealed record DpSgdSettings
{
    /// <summary>C: the largest norm of a row's gradient.</summary>
    [Range(1e-9, 1e6)]
    public double Clip { get; init; } = 0.1;

    /// <summary>sigma: the noise's deviation, in C; 0 only clips, and promises no privacy.</summary>
    [Range(0.0, 1000.0)]
    public double Noise { get; init; } = 0.5;

    /// <summary>delta, for which epsilon is told; below one in as many as there are rows.</summary>
    [Range(1e-12, 0.5)]
    public double Delta { get; init; } = 1e-3;
}

/// <summary>DP-SGD (Abadi et al. 2016): every row's gradient is shortened to C and Gaussian noise is added to their sum, so that no row has much of a say. The accountant
/// tells the epsilon that was spent. Against a poison it is a cap on what each row can do, and no more.</summary>
// Deviation: rows are shuffled into batches, where the accountant's bound is for rows that are drawn each by itself; and AdamW takes the noisy gradient, which costs no privacy.
public sealed class DpSgd(DpSgdSettings settings) : ITechnique, IHookSource
{
    public static Card Card { get; } = new(
        "dp-sgd", "DP-SGD", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training,
        "https://arxiv.org/abs/1607.00133", "Shortens every row's gradient, adds noise to their sum, and accounts for the privacy that is spent.");

    public TrainingHook CreateHook(TechniqueContext context) => new Hook(settings);

    /// <summary>The sum of the gradients of a batch's rows, each shortened to C: (P,).</summary>
    public static Tensor ClippedSum(CausalModel model, Batch batch, IReadOnlyList<Tensor> weights, double clip, ForwardOptions options)
    {
        using var scope = NewDisposeScope();
        var sum = zeros(weights.Sum(w => w.numel()));
        for (var row = 0; row < batch.RowIds.Count; row++)
        {
            using var inner = NewDisposeScope();
            var alone = new Batch(batch.Ids.narrow(0, row, 1), batch.Labels.narrow(0, row, 1), [batch.RowIds[row]]);
            var gradient = Gradients.Flat(() => ResponseLoss.Mean(model, alone, options), weights);
            sum.add_(gradient * Math.Min(1, clip / Math.Max(1e-12, gradient.norm().item<float>())));
        }

        return sum.MoveToOuterDisposeScope();
    }

    private sealed class Hook(DpSgdSettings settings) : TrainingHook
    {
        private readonly List<TrainingEvent> _events = [];
        private double _rate;

        public override string Name => Card.Id;

        public override IReadOnlyList<TrainingEvent> Events => _events;

        public override void OnStart(TrainingStart arguments) =>
            _rate = Math.Min(1, (double)arguments.Plan.BatchSize * arguments.Plan.Accumulation / arguments.Rows.Count);

        /// <summary>What stood in the gradients is replaced, with what other hooks added to the loss: their terms are not private.</summary>
        public override void OnGradients(GradientArguments arguments)
        {
            using var generator = new Generator(arguments.Seed);
            Tensor[] weights = [.. arguments.Trainable.Values.Where(w => w.grad is not null)];
            var sum = zeros(weights.Sum(w => w.numel()));
            foreach (var batch in arguments.Batches)
            {
                sum.add_(ClippedSum(arguments.Model, batch, weights, settings.Clip, new() { Precision = arguments.Precision }));
            }

            sum.add_(randn(sum.shape, ScalarType.Float32, generator: generator) * (settings.Noise * settings.Clip));
            FlatWeights.Write([.. weights.Select(w => w.grad!)], sum / arguments.Batches.Sum(b => b.RowIds.Count));
        }

        public override void OnEnd(TrainingEnd arguments)
        {
            var epsilon = new RdpAccountant(settings.Noise, _rate).Epsilon(arguments.Result.Steps, settings.Delta);
            _events.Add(new(arguments.Result.Steps, string.Create(CultureInfo.InvariantCulture,
                $"epsilon {epsilon:G4} at delta {settings.Delta:G3}: noise {settings.Noise}, {_rate:p1} of the rows in each of {arguments.Result.Steps} steps")));
        }
    }
}
