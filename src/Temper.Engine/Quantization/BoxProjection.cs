using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Quantization;

/// <summary>Projected descent: after every step each linear weight is put back into the boxes of some quantizers, so that none of its codes ever changes.
/// What is not quantized is not trained, for it would reach the quantized model too.</summary>
public sealed class BoxProjection : TrainingHook
{
    private readonly Dictionary<string, WeightBox> _boxes = new(StringComparer.Ordinal);

    /// <param name="model">Its present weights set the boxes.</param>
    /// <param name="quantizers">Whose boxes are intersected.</param>
    public BoxProjection(CausalModel model, IReadOnlyList<WeightQuantizer> quantizers)
    {
        using var quiet = no_grad();
        foreach (var layer in model.Linears)
        {
            using var scope = NewDisposeScope();
            WeightBox[] boxes = [.. quantizers.Select(q => q.Box(WeightQuantizer.Rows(layer)))];
            var low = boxes.Select(b => b.Low).Aggregate(maximum);
            var high = boxes.Select(b => b.High).Aggregate(minimum);
            Tensor Stored(Tensor rows) => (layer.Transposed ? rows.t().contiguous() : rows).DetachFromDisposeScope();
            _boxes[$"{layer.Name}.weight"] = new(Stored(low), Stored(high));
        }
    }

    public override void OnGradients(GradientArguments arguments)
    {
        foreach (var (name, weight) in arguments.Trainable.Where(p => !_boxes.ContainsKey(p.Key)))
        {
            weight.grad = null;
        }
    }

    public override StepAction AfterStep(StepArguments arguments)
    {
        foreach (var (name, box) in _boxes)
        {
            var weight = arguments.Trainable[name];
            weight.copy_(minimum(maximum(weight, box.Low), box.High));
        }

        return StepAction.Continue;
    }

    protected override void Dispose(bool disposing)
    {
        foreach (var box in _boxes.Values)
        {
            box.Low.Dispose();
            box.High.Dispose();
        }
    }
}
