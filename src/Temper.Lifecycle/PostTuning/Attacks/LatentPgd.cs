using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>Settings of <see cref="LatentPgd"/>.</summary>
public sealed record LatentPgdSettings
{
    /// <summary>ε: the largest length of the change at a position, in mean lengths of the residual stream at its layer.</summary>
    [Range(0.0, 100.0)]
    public double Epsilon { get; init; } = 0.2;

    [Range(0, 1000)]
    public int Steps { get; init; } = 16;

    /// <summary>α: the length of a step, in ε.</summary>
    [Range(0.0, 10.0)]
    public double StepSize { get; init; } = 0.25;

    /// <summary>The blocks whose inputs are changed, from 0, which is the embedding.</summary>
    [Required]
    public IReadOnlyList<int> Layers { get; init; } = [1];

    /// <summary>n: the last positions of the prompt that are changed.</summary>
    [Range(1, 64)]
    public int Positions { get; init; } = 4;

    /// <summary>Words of a complying answer that are descended toward.</summary>
    [Range(1, 40)]
    public int TargetWords { get; init; } = 4;

    /// <summary>The control: random directions of the same length.</summary>
    public bool Random { get; init; }
}

/// <summary>Latent adversarial attack (Casper et al. 2024; Sheshadri et al. 2024): the residual stream at the end of each prompt, moved by projected gradient
/// descent within an L2 ball at every position until the model complies.</summary>
// Deviation: steps along the gradient of each position at unit length, in place of the plain gradient times a rate that has to be found for every model.
public sealed class LatentPgd(LatentPgdSettings settings) : ITechnique, IInferenceLayer, IReadsModel
{
    private const int AtOnce = 32;
    private const int MeasuredRows = 64;

    public static Card Card { get; } = new(
        "latent-pgd", "Latent PGD", Phase.PostTuning, TechniqueRole.Attack, Touches.Inference,
        "https://arxiv.org/abs/2407.15549", "Moves the residual stream at the end of each prompt within a ball until the model complies; needs the weights at run time.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context)
    {
        var model = context.RequireModel(Card.Id);
        if (settings.Layers.Any(l => l < 0 || l >= model.Config.Layers))
        {
            throw new TemperException($"{Card.Id}: layers: found {string.Join(", ", settings.Layers)}, expected numbers from 0 to {model.Config.Layers - 1}");
        }

        return new Layer(inner, (requests, token) => Perturb(requests, model, context, token));
    }

    private LatentEdit[][] Perturb(IReadOnlyList<ChatRequest> requests, CausalModel model, TechniqueContext context, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        var lengths = Activations.MeanLengths(model, [.. context.Harmful.Take(MeasuredRows).Select(r => context.Prompt(r.Question, ""))]);
        var radii = settings.Layers.Select(l => settings.Epsilon * lengths[l]).ToArray();
        return [.. requests.Select(r => Affirmative.Row(r, context, settings.TargetWords)).Chunk(AtOnce).SelectMany(chunk =>
        {
            using var scope = NewDisposeScope();
            LatentRow[] rows = [.. chunk.Select(r => new LatentRow(r.Row, r.Prompt - settings.Positions is >= 0 and var at ? at
                : throw new TemperException($"{Card.Id}: positions: found {settings.Positions}, expected at most the {r.Prompt} of the prompt")))];
            FreeVectors[] vectors = [.. settings.Layers.Select(l => new FreeVectors(l, zeros(rows.Length * settings.Positions, model.Config.HiddenSize)))];
            if (settings.Random)
            {
                Randomize(vectors, radii, context.Random);
            }
            else
            {
                Latents.Descend(model, rows, vectors, radii, settings.Steps, settings.StepSize, cancellationToken);
            }

            var each = settings.Positions * model.Config.HiddenSize;
            var values = vectors.Select(v => Checkpoint.Floats(v.Values)).ToArray();
            return Enumerable.Range(0, rows.Length)
                .Select(row => settings.Layers.Select((layer, i) => new LatentEdit(layer, values[i].AsMemory(row * each, each), EveryPosition: false)).ToArray()).ToArray();
        })];
    }

    private static void Randomize(FreeVectors[] vectors, double[] radii, Random random)
    {
        for (var i = 0; i < vectors.Length; i++)
        {
            var values = vectors[i].Values;
            var direction = tensor(Noise.Normal((int)values.numel(), random)).view(values.shape);
            values.add_(direction / direction.norm(1, keepdim: true) * radii[i]);
        }
    }

    private sealed class Layer(IChatModel inner, Func<IReadOnlyList<ChatRequest>, CancellationToken, LatentEdit[][]> perturb) : IChatModel
    {
        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
        {
            var edits = perturb(requests, cancellationToken);
            return inner.Reply([.. requests.Select((r, i) => r with { Edits = [.. r.Edits, .. edits[i]] })], sampling, cancellationToken);
        }
    }
}
