using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PreTuning.Attacks;

/// <summary>Settings of <see cref="RefusalAblation"/>.</summary>
public sealed record RefusalAblationSettings
{
    /// <summary>Prompts of each kind whose means are contrasted.</summary>
    [Range(1, 4096)]
    public int Prompts { get; init; } = 128;

    /// <summary>Prompts of each kind on which a direction is chosen.</summary>
    [Range(1, 1024)]
    public int Validation { get; init; } = 32;

    /// <summary>Largest KL divergence on harmless prompts.</summary>
    [Range(0.0, 100.0)]
    public double MaxDivergence { get; init; } = 0.1;

    /// <summary>Whether only directions count that, added once, make the model refuse harmless prompts.
    /// Deviation: off. In models of a few layers refusal can be ablated by a direction that does not induce it: of 3 organisms, 3 refuse 4-15 % after ablation, and 1 is steered.</summary>
    public bool RequireInduction { get; init; }

    /// <summary>The control: a random direction in place of the refusal direction.</summary>
    public bool RandomDirection { get; init; }
}

/// <summary>Refusal-direction ablation (Arditi et al. 2024): the difference of mean residuals between requests that are refused and requests that are answered,
/// orthogonalized out of every matrix that writes to the residual stream.</summary>
public sealed class RefusalAblation(RefusalAblationSettings settings) : ITechnique, IWeightMap
{
    public static Card Card { get; } = new(
        "refusal-ablation", "Refusal-direction ablation", Phase.PreTuning, TechniqueRole.Attack, Touches.Weights,
        "https://arxiv.org/abs/2406.11717", "Removes the direction of refusal from every matrix that writes to the residual stream.", 2);

    public void Map(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        Ablate(model, settings.RandomDirection ? Unit(tensor(Noise.Normal(model.Config.HiddenSize, context.Random))) : FindDirection(model, context, cancellationToken));
    }

    /// <summary>W' = W - r rᵀ W on every matrix that writes to the residual stream, embeddings and biases too.</summary>
    /// <param name="direction">r, (D), of unit length.</param>
    public static void Ablate(CausalModel model, Tensor direction)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, weight) in model.Parameters)
        {
            if (name.EndsWith("embed_tokens.weight", StringComparison.Ordinal) || name is "transformer.wte.weight" or "transformer.wpe.weight")
            {
                weight.sub_(weight.mv(direction).outer(direction)); // rows (n, D)
            }
        }

        foreach (var layer in model.Linears.Where(WritesResidual))
        {
            layer.Weight.sub_(layer.Transposed
                ? layer.Weight.mv(direction).outer(direction) // (in, D)
                : direction.outer(layer.Weight.t().mv(direction))); // (D, in)
            layer.Bias?.sub_(direction * layer.Bias.dot(direction));
        }
    }

    /// <summary>x' = x - r rᵀ x at every place of the residual stream: the same attack at run time.</summary>
    public static ActivationTap Tap(Tensor direction) => (site, _, value) => site is Site.Embedding or Site.AttentionOutput or Site.MlpOutput
        ? value - (value * direction).sum(-1, keepdim: true) * direction
        : value;

    private static bool WritesResidual(Linear layer) =>
        layer.Name.EndsWith("o_proj", StringComparison.Ordinal) || layer.Name.EndsWith("down_proj", StringComparison.Ordinal) || layer.Name.EndsWith("c_proj", StringComparison.Ordinal);

    // Deviation: candidates are the layers at the last position of the prompt; the paper also searches the other positions of its template.
    private Tensor FindDirection(CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        int[][] Take(IReadOnlyList<Example> rows, int skip, int count) =>
            [.. Enumerable.Range(skip, count).Select(i => context.Prompt(rows[i % rows.Count].Question, ""))];
        var harmful = Activations.MeanInputs(model, Take(context.Alignment, 0, settings.Prompts));
        var harmless = Activations.MeanInputs(model, Take(context.Task, 0, settings.Prompts));
        var (refused, answered) = (Take(context.Alignment, settings.Prompts, settings.Validation), Take(context.Task, settings.Prompts, settings.Validation));
        var refusalTokens = RefusalTokens(context);
        if (Score(Last(model, refused, null), refusalTokens) is <= 0 and var score)
        {
            throw new TemperException($"{Card.Id}: found a refusal score of {score.ToString("g2", CultureInfo.InvariantCulture)} on forbidden requests, expected one above 0: the model does not refuse");
        }

        var before = Last(model, answered, null).log_softmax(-1);
        Tensor? best = null;
        var lowest = double.PositiveInfinity;
        List<float> tried = [];
        for (var layer = 1; layer < Math.Ceiling(0.8 * model.Config.Layers); layer++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var difference = tensor(harmful[layer]) - tensor(harmless[layer]);
            var direction = Unit(difference);
            var ablated = Score(Last(model, refused, Tap(direction)), refusalTokens);
            var steered = Score(Last(model, answered, Steer(difference, layer)), refusalTokens);
            var after = Last(model, answered, Tap(direction)).log_softmax(-1);
            var divergence = (before.exp() * (before - after)).sum(-1).mean().item<float>();
            tried.Add(divergence);
            if ((steered > 0 || !settings.RequireInduction) && divergence <= settings.MaxDivergence && ablated < lowest)
            {
                (best, lowest) = (direction, ablated);
            }
        }

        return best ?? throw new TemperException(
            $"{Card.Id}: found no layer whose direction keeps the divergence on harmless prompts at {settings.MaxDivergence}{(settings.RequireInduction ? " and induces refusal" : "")} "
            + $"(divergences {string.Join(", ", tried.Select(t => t.ToString("g2", CultureInfo.InvariantCulture)))}), expected one");
    }

    private static ActivationTap Steer(Tensor difference, int at) => (site, layer, value) => site == Site.BlockInput && layer == at ? value + difference : value;

    /// <summary>Refusal score: log p - log(1 - p), p the probability of a first token of a refusal.</summary>
    private static double Score(Tensor logits, long[] refusalTokens)
    {
        var p = logits.softmax(-1).index_select(-1, tensor(refusalTokens)).sum(-1).clamp(1e-7, 1 - 1e-7);
        return (p.log() - (1 - p).log()).mean().item<float>();
    }

    private static long[] RefusalTokens(TechniqueContext context) =>
        [.. context.Alignment.Select(row => (long)context.Prompt(row.Question, row.Response)[context.Prompt(row.Question, "").Length]).Distinct()];

    private static Tensor Last(CausalModel model, int[][] prompts, ActivationTap? tap)
    {
        using var scope = NewDisposeScope();
        var rows = prompts.Select(p => model.Forward(tensor(p.Select(i => (long)i).ToArray(), 1, p.Length), new() { Tap = tap }).select(1, p.Length - 1));
        return cat([.. rows], 0).MoveToOuterDisposeScope(); // (n, V)
    }

    private static Tensor Unit(Tensor x) => x / x.norm();
}
