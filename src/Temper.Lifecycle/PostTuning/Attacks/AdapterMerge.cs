using Temper.Core;
using Temper.Engine.Lora;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>What attacks by adapters share: updates trained on one model and added, without training, to the weights of another.</summary>
public static class AdapterMerge
{
    /// <summary>The layers of the feed-forward blocks in either family.</summary>
    public static IReadOnlyCollection<string> FeedForward(CausalModel model) =>
        [.. model.Linears.Where(l => l.Name.Contains(".mlp.", StringComparison.Ordinal)).Select(l => l.Name[(l.Name.LastIndexOf('.') + 1)..]).Distinct(StringComparer.Ordinal)];

    /// <summary>Trains adapters on a model, which is as before afterwards, and hands them to <paramref name="read"/>.</summary>
    /// <param name="feedForward">Whether only feed-forward layers are adapted. GPT-2's attention has a c_proj too, so layers are chosen by their full name.</param>
    public static T Train<T>(
        CausalModel model, IReadOnlyList<EncodedExample> rows, TuningPlan plan, bool feedForward, IReadOnlyList<TrainingHook> hooks, Func<LoraAdapters, T> read, CancellationToken cancellationToken)
    {
        using var adapters = LoraAdapters.Attach(model, plan.LoraRank, plan.LoraAlpha, feedForward ? FeedForward(model) : [], plan.Seed);
        foreach (var layer in model.Linears.Where(l => feedForward && l.Adapter is not null && !l.Name.Contains(".mlp.", StringComparison.Ordinal)))
        {
            layer.Adapter!.Dispose();
            layer.Adapter = null;
        }

        Trainer.Train(model, rows, plan with { Method = TuningMethod.Lora }, hooks, TrainerOptions.Default, cancellationToken);
        using var quiet = no_grad();
        return read(adapters);
    }

    /// <summary>W += scale · delta for every layer of that name.</summary>
    public static void Add(CausalModel model, IReadOnlyDictionary<string, Tensor> deltas, double scale)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        foreach (var layer in model.Linears)
        {
            if (deltas.TryGetValue(layer.Name, out var delta))
            {
                layer.Weight.add_(delta * scale);
            }
        }
    }
}
