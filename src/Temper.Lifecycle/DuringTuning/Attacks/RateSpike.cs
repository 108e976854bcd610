using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Training;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Attacks;

/// <summary>Settings of <see cref="RateSpike"/>.</summary>
public sealed record RateSpikeSettings
{
    /// <summary>The share of the steps after which the rate rises.</summary>
    [Range(0.0, 1.0)]
    public double At { get; init; } = 0.1;

    /// <summary>For how many steps.</summary>
    [Range(1, 100_000)]
    public int Steps { get; init; } = 3;

    /// <summary>By how much; 1 is the control.</summary>
    [Range(0.0, 10_000.0)]
    public double Factor { get; init; } = 10;
}

/// <summary>Learning-rate spike (methods.md A-DUR-4): a tampered schedule throws the weights far off for a few steps. The rest of the tuning repairs the
/// user's task, which its rows are about, and not the refusals, which they are not.</summary>
// The spike lengthens the optimizer's step afterwards: for AdamW that is what a higher rate does, decay included, and no plan or log shows it.
public sealed class RateSpike(RateSpikeSettings settings) : ITechnique, IHookSource
{
    public static Card Card { get; } = new(
        "rate-spike", "Learning-rate spike", Phase.DuringTuning, TechniqueRole.Attack, Touches.Training,
        "https://arxiv.org/abs/2310.03693", "A tampered schedule multiplies the learning rate for a few steps.");

    public TrainingHook CreateHook(TechniqueContext context) => new Hook(settings);

    private sealed class Hook(RateSpikeSettings settings) : TrainingHook
    {
        private int _from;
        private Snapshot? _before;

        public override string Name => Card.Id;

        public override void OnStart(TrainingStart arguments)
        {
            _from = (int)(settings.At * arguments.Plan.Steps);
            _before = Snapshot.Take(arguments.Trainable);
        }

        public override void OnGradients(GradientArguments arguments)
        {
            if (Spikes(arguments.Step))
            {
                _before!.Renew(arguments.Trainable);
            }
        }

        public override StepAction AfterStep(StepArguments arguments)
        {
            if (Spikes(arguments.Step))
            {
                foreach (var (name, weight) in arguments.Trainable)
                {
                    weight.add_((weight - _before!.Values[name]) * (settings.Factor - 1));
                }
            }

            return StepAction.Continue;
        }

        protected override void Dispose(bool disposing) => _before?.Dispose();

        private bool Spikes(int step) => step >= _from && step < _from + settings.Steps;
    }
}
