using Temper.Engine.Training;
using TorchSharp;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>The server's part of a federation; a training that is none has no use for it.</summary>
internal sealed class AggregationHook(string name, Func<torch.Tensor, torch.Tensor> aggregate) : TrainingHook, IAggregation
{
    public override string Name => name;

    public torch.Tensor Aggregate(torch.Tensor updates) => aggregate(updates);
}
