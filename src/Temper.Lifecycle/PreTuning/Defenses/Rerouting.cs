using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Defenses;

/// <summary>What the defenses share that compare the states of a model under training with those of the model that it was.</summary>
internal static class Rerouting
{
    /// <summary>The blocks at a third and at two thirds of the depth.</summary>
    public static IReadOnlyList<int> DefaultLayers(CausalModel model) => [.. new[] { model.Config.Layers / 3, model.Config.Layers * 2 / 3 }.Distinct()];

    /// <exception cref="TemperException">There is none, or one that the model lacks.</exception>
    public static void RequireLayers(string technique, IReadOnlyList<int> layers, CausalModel model)
    {
        if (layers.Count == 0 || layers.Any(l => l < 0 || l >= model.Config.Layers))
        {
            throw new TemperException($"{technique}: layers: found {(layers.Count == 0 ? "none" : string.Join(", ", layers))}, expected numbers from 0 to {model.Config.Layers - 1}");
        }
    }

    /// <summary>The states of both models on a batch, L + 1 of (B, T, D): what block l gives is state l + 1, of the last block behind the final norm.</summary>
    public static (IReadOnlyList<Tensor> Before, IReadOnlyList<Tensor> After) Pair(LossArguments arguments, CausalModel original, Batch batch)
    {
        ForwardOptions options = new() { Precision = arguments.Precision };
        IReadOnlyList<Tensor> before;
        using (no_grad())
        {
            before = Activations.States(original, batch.Ids, options);
        }

        return (before, Activations.States(arguments.Model, batch.Ids, options));
    }

    /// <summary>Leaves what lies above a block as it is in this step.</summary>
    public static void FreezeAbove(int block, GradientArguments arguments)
    {
        foreach (var (name, leaf) in arguments.Trainable)
        {
            if (LayerNames.BlockOf(name) > block)
            {
                leaf.grad = null; // the optimizer passes over it
            }
        }
    }
}
