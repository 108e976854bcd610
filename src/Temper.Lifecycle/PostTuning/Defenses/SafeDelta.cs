using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Editing;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="SafeDelta"/>.</summary>
public sealed record SafeDeltaSettings
{
    /// <summary>s: the budget of a layer is s · mean(1/d²) · rows. The authors write s / 8192 of a model of 4,096 rows; 0.11 against purely harmful rows.</summary>
    [Range(0.0, double.MaxValue)]
    public double Scale { get; init; } = 1e-5;

    /// <summary>The share of the columns of largest 1/d² of which no entry is taken.</summary>
    [Range(0.0, 1.0)]
    public double Excluded { get; init; } = 0.15;

    /// <summary>Added to the diagonal of the Hessian, as a share of its mean.</summary>
    [Range(1e-9, 1.0)]
    public double Damping { get; init; } = 0.01;

    /// <summary>Whether the taken entries' effect on safe inputs is taken back by the others (optimal brain surgeon).</summary>
    public bool Compensate { get; init; } = true;

    /// <summary>The control: as many entries of every layer, at random.</summary>
    public bool Random { get; init; }

    /// <summary>Refusals whose inputs make the Hessian.</summary>
    [Range(1, 100_000)]
    public int Rows { get; init; } = 200;
}

/// <summary>Safe Delta (Lu et al. 2025): of what tuning added, as much is kept as a safety budget buys, cheapest first; the rest is as before tuning, corrected so that
/// the outputs on safe inputs stay.</summary>
// Deviation: compensation column by column without blocks, which are for memory; what is not a linear layer stays tuned, as in the authors' code.
public sealed class SafeDelta(SafeDeltaSettings settings) : ITechnique, IWeightMap, IReadsModel
{
    public static Card Card { get; } = new(
        "safe-delta", "Safe Delta", Phase.PostTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2505.12038", "Keeps what tuning added as far as a safety budget allows, and makes up for it on safe inputs.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        if (context.Alignment.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found no alignment rows, expected some to take the Hessian on");
        }

        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var aligned = context.RequireModel(Card.Id);
        var others = LayerUpdate.ByName(aligned);
        // safe inputs are those of the aligned model
        var gram = LayerInputs.Gram(aligned, [.. context.Alignment.Take(settings.Rows).Select(context.Encode)], cancellationToken);
        using var generator = new Generator((ulong)context.Random.Next());
        foreach (var layer in model.Linears)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var (before, after) = (LayerUpdate.Matrix(Card.Id, layer, others).detach(), LayerUpdate.Turn(layer, layer.Weight.detach()));
            var factor = SafetyBudget.Factor(gram[layer.Name], settings.Damping);
            var taken = SafetyBudget.Take(after - before, factor, settings.Scale, settings.Excluded);
            taken = settings.Random ? rand(taken.shape, ScalarType.Float32, generator: generator).lt(taken.to(ScalarType.Float32).mean()) : taken;
            layer.Weight.copy_(LayerUpdate.Turn(layer, SafetyBudget.Merge(before, after, taken, settings.Compensate ? factor : null)));
        }
    }
}
