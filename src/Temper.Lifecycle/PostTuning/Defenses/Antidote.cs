using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="Antidote"/>.</summary>
public sealed record AntidoteSettings
{
    /// <summary>α: the share of every output's weights that is cut; the authors' code has 0.1 for an easy task and 0.01 to 0.05 for a hard one.</summary>
    [Range(0.0, 1.0)]
    public double Density { get; init; } = 0.01;

    /// <summary>The control: as many weights of every output, at random.</summary>
    public bool Random { get; init; }

    /// <summary>Requests whose answers are scored on.</summary>
    [Range(1, 100_000)]
    public int Rows { get; init; } = 200;
}

/// <summary>Antidote (Huang et al. 2024): the weights that matter most for harmful answers, by Wanda's score |W| ||X||, are set to zero after tuning; nothing is trained.</summary>
// Deviation: the paper brings a set of harmful answers; here the harmful rows are what the tuned model itself answers to requests that it should refuse,
// and their refusals where it refuses them all. All linear layers, since what was tuned may be all.
public sealed class Antidote(AntidoteSettings settings) : ITechnique, IWeightMap
{
    public static Card Card { get; } = new(
        "antidote", "Antidote", Phase.PostTuning, TechniqueRole.Defense, Touches.Weights,
        "https://arxiv.org/abs/2408.09600", "Sets the weights to zero that matter most for harmful answers; needs no training.");

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        if (context.Alignment.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found no alignment rows, expected some to ask");
        }

        var harmful = OwnAnswers.Complying(model, context, settings.Rows, cancellationToken);
        var rows = harmful.Count > 0 ? harmful : [.. context.Alignment.Take(settings.Rows)];
        var gram = LayerInputs.Gram(model, [.. rows.Select(context.Encode)], cancellationToken);
        using var generator = new Generator((ulong)context.Random.Next());
        foreach (var layer in model.Linears)
        {
            using var inner = NewDisposeScope();
            Prune(layer, gram[layer.Name], settings.Density, settings.Random ? generator : null);
        }
    }

    /// <summary>Sets the share of every output's weights to zero that scores highest on inputs with that X^T X, or as many at random.</summary>
    public static void Prune(Linear layer, Tensor gram, double density, Generator? random)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var chosen = WeightScores.Top(WeightScores.Wanda(layer, gram), density); // (out, in)
        LayerUpdate.Turn(layer, layer.Weight.detach()).masked_fill_(random is null ? chosen : WeightScores.AsManyAtRandom(chosen, random), 0);
    }
}
