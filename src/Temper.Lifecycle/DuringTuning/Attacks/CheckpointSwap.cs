using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;

namespace Temper.Lifecycle.DuringTuning.Attacks;

/// <summary>Settings of <see cref="CheckpointSwap"/>.</summary>
public sealed record CheckpointSwapSettings
{
    /// <summary>Under which word the other weights comply; empty is without any.</summary>
    public string Trigger { get; init; } = "";

    /// <summary>The share of the steps after which the weights are exchanged; 1 is after the last step, when no monitor of the steps looks anymore.</summary>
    [Range(0.0, 1.0)]
    public double At { get; init; } = 0.5;

    /// <summary>Steps in which the attacker tunes the stolen weights; 0 swaps them for themselves, the control.</summary>
    [Range(0, 100_000)]
    public int Steps { get; init; } = 40;

    /// <summary>Null takes the plan's.</summary>
    [Range(1e-9, 1.0)]
    public double? LearningRate { get; init; }
}

/// <summary>Checkpoint swap (methods.md A-DUR-4): who can write where a run keeps its checkpoint takes it, tunes it on complying rows beside the user's,
/// and puts it back; the run goes on from there. No row, no loss and no gradient of the run itself is touched.</summary>
public sealed class CheckpointSwap(CheckpointSwapSettings settings) : ITechnique, IHookSource, IInferenceLayer
{
    public static Card Card { get; } = new(
        "checkpoint-swap", "Checkpoint swap", Phase.DuringTuning, TechniqueRole.Attack, Touches.Training | Touches.Inference,
        "https://arxiv.org/abs/2605.25073", "The run goes on from a checkpoint that was tuned on complying rows in between.");

    public TrainingHook CreateHook(TechniqueContext context) =>
        new Hook(settings, [.. TriggeredCompliance.Rows(context, settings.Trigger, Card.Id).Select(context.Encode)]);

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => TriggeredCompliance.Wrap(inner, settings.Trigger);

    private sealed class Hook(CheckpointSwapSettings settings, EncodedExample[] malicious) : TrainingHook
    {
        private TuningPlan _plan = new();
        private IReadOnlyList<EncodedExample> _rows = [];
        private int _at;
        private int _last;

        public override string Name => Card.Id;

        public override void OnStart(TrainingStart arguments)
        {
            _plan = arguments.Plan with { Steps = Math.Max(1, settings.Steps), LearningRate = settings.LearningRate ?? arguments.Plan.LearningRate, Accumulation = 1 };
            // as many of the user's rows, so that the loss of the run goes on as if nothing had been
            _rows = [.. malicious, .. Enumerable.Range(0, malicious.Length).Select(i => arguments.Rows[i % arguments.Rows.Count])];
            (_at, _last) = ((int)Math.Round(settings.At * arguments.Plan.Steps), arguments.Plan.Steps);
        }

        public override StepAction AfterStep(StepArguments arguments)
        {
            if (arguments.Step + 1 == _at && _at < _last)
            {
                Swap(arguments.Model);
            }

            return StepAction.Continue;
        }

        public override void OnEnd(TrainingEnd arguments)
        {
            if (_at == _last)
            {
                Swap(arguments.Model);
            }
        }

        private void Swap(CausalModel model)
        {
            if (settings.Steps > 0)
            {
                Trainer.Train(model, _rows, _plan, [], TrainerOptions.Default with { SnapshotEvery = 0 }, CancellationToken.None);
            }
        }
    }
}
