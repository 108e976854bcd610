using Temper.Core;
using Temper.Engine.Models;
using static TorchSharp.torch;

namespace Temper.Engine.Training;

/// <summary>What a hook is told at the start.</summary>
public readonly struct TrainingStart
{
    public required CausalModel Model { get; init; }
    public required TuningPlan Plan { get; init; }

    /// <summary>Name to live leaf of all that is trained.</summary>
    public required IReadOnlyDictionary<string, Tensor> Trainable { get; init; }
    public required IReadOnlyList<EncodedExample> Rows { get; init; }
}

/// <summary>What a hook is told when a batch is chosen.</summary>
public readonly struct BatchChoice
{
    public required CausalModel Model { get; init; }
    public required int Step { get; init; }

    /// <summary>Which of the step's accumulated batches this is.</summary>
    public required int Part { get; init; }

    /// <summary>The rows that come next in the plan.</summary>
    public required IReadOnlyList<EncodedExample> Planned { get; init; }

    /// <summary>For the hook's chance in this step.</summary>
    public required ulong Seed { get; init; }
}

/// <summary>What a hook is told when the loss is formed.</summary>
public readonly struct LossArguments
{
    public required CausalModel Model { get; init; }
    public required Batch Batch { get; init; }
    public required int Step { get; init; }
    public required Precision Precision { get; init; }
    public required IReadOnlyDictionary<string, Tensor> Trainable { get; init; }

    /// <summary>The plain loss of the batch, with a tap if given; each call is a forward pass.</summary>
    public required Func<ActivationTap?, Tensor> PlainLoss { get; init; }

    /// <summary>For the hook's chance in this step.</summary>
    public required ulong Seed { get; init; }
}

/// <summary>What a hook is told when the gradients of a step are complete.</summary>
public readonly struct GradientArguments
{
    public required CausalModel Model { get; init; }
    public required int Step { get; init; }
    public required IReadOnlyList<Batch> Batches { get; init; }
    public required Precision Precision { get; init; }

    /// <summary>The gradient is each tensor's <c>grad</c>.</summary>
    public required IReadOnlyDictionary<string, Tensor> Trainable { get; init; }
    public required ulong Seed { get; init; }
}

/// <summary>What a hook is told after a step.</summary>
public readonly struct StepArguments
{
    public required CausalModel Model { get; init; }
    public required int Step { get; init; }
    public required double Loss { get; init; }

    /// <summary>Global norm before clipping.</summary>
    public required double GradientNorm { get; init; }
    public required double Rate { get; init; }
    public required IReadOnlyDictionary<string, Tensor> Trainable { get; init; }
    public required ulong Seed { get; init; }
}

/// <summary>What a hook is told at the end.</summary>
public readonly struct TrainingEnd
{
    public required CausalModel Model { get; init; }
    public required TrainingResult Result { get; init; }
}
