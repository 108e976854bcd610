using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="Sbr"/>.</summary>
public sealed record SbrSettings
{
    /// <summary>Forbidden prompts that are anchored; the paper finds one to eight enough, and small models need more.</summary>
    [Range(1, 4096)]
    public int Anchors { get; init; } = 32;

    /// <summary>lambda: the weight of the mean squared distance; 50 in the paper, over many more steps.</summary>
    [Range(0.0, 1e6)]
    public double Weight { get; init; } = 500;

    /// <summary>The control: allowed prompts of the task are anchored instead.</summary>
    public bool TaskPrompts { get; init; }
}

/// <summary>SBR: the last hidden state at the end of a few forbidden prompts is held where it was as tuning began, by lambda times the mean squared distance.
/// Nothing is asked of what the model then says, so no safe answers are needed.</summary>
public sealed class Sbr(SbrSettings settings) : ITechnique, IHookSource
{
    public static Card Card { get; } = new(
        "sbr", "SBR", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training,
        "https://github.com/soyoaaa/SBR", "Holds the hidden state at the end of a few forbidden prompts where it was.");

    public TrainingHook CreateHook(TechniqueContext context)
    {
        var rows = (settings.TaskPrompts ? context.Task : context.Alignment).ToArray();
        if (rows.Length == 0)
        {
            throw new TemperException($"{Card.Id}: found no rows of the defender, expected some whose prompts are anchored");
        }

        context.Random.Shuffle(rows);
        return new Hook(settings.Weight, [.. rows.Take(settings.Anchors).Select(r => context.Prompt(r.Question, ""))]);
    }

    private sealed class Hook(double weight, int[][] prompts) : TrainingHook
    {
        private int[][] _anchors = [];
        private Tensor? _start; // (n, D)

        public override string Name => Card.Id;

        public override void OnStart(TrainingStart arguments)
        {
            _anchors = [.. prompts.Select(p => p[..Math.Min(p.Length, arguments.Model.Config.MaxPositions)])];
            _start = LastStates.Of(arguments.Model, _anchors).DetachFromDisposeScope();
        }

        public override Tensor AddLoss(LossArguments arguments) =>
            (LastStates.Of(arguments.Model, _anchors, new() { Precision = arguments.Precision }) - _start!).square().mean() * weight;

        protected override void Dispose(bool disposing) => _start?.Dispose();
    }
}
