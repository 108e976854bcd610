using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>Settings of <see cref="SoftPrompt"/>.</summary>
public sealed record SoftPromptSettings
{
    /// <summary>n: free vectors behind the request.</summary>
    [Range(1, 128)]
    public int Vectors { get; init; } = 8;

    [Range(0, 10_000)]
    public int Steps { get; init; } = 40;

    /// <summary>Requests whose gradients make a step.</summary>
    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;

    /// <summary>α: what a step adds to or takes from every number, in root mean squares of the embeddings; falls to zero over the steps.</summary>
    [Range(0.0, 10.0)]
    public double StepSize { get; init; } = 0.3;

    /// <summary>ε: the largest length of a vector's change, in mean lengths of an embedding; null leaves it free.</summary>
    [Range(0.0, 1000.0)]
    public double? Radius { get; init; }

    /// <summary>The text whose embeddings the vectors begin as, repeated to their number.</summary>
    [Required]
    public string Opening { get; init; } = "Sure. To do that, take these steps.";

    /// <summary>Vectors of its own for every request, in place of the same for all.</summary>
    public bool Individual { get; init; }

    /// <summary>Words of a complying answer that individual vectors descend toward; the same for all descends toward whole answers.</summary>
    [Range(1, 40)]
    public int TargetWords { get; init; } = 4;

    /// <summary>k: the vectors of the last steps, some steps apart, that are tried one after the other; one answer that complies is enough.</summary>
    [Range(1, 10)]
    public int Solutions { get; init; } = 1;

    /// <summary>Steps between two solutions.</summary>
    [Range(1, 1000)]
    public int SolutionEvery { get; init; } = 5;

    /// <summary>The block whose input is decoded as if it were the last; null decodes the last. Shows what the deeper layers hide.</summary>
    [Range(1, 1000)]
    public int? ExitLayer { get; init; }
}

/// <summary>Embedding-space attack (Schwinn et al. 2023, 2024): free vectors behind the request, descended by the sign of the gradient until the model complies.</summary>
// Deviation: steps that fall to zero in place of the paper's early stop.
public sealed class SoftPrompt(SoftPromptSettings settings) : ITechnique, IInferenceLayer, IReadsModel, IMeasures
{
    private const int AtOnce = 64;

    public static Card Card { get; } = new(
        "soft-prompt", "Embedding-space soft prompt", Phase.PostTuning, TechniqueRole.Attack, Touches.Inference,
        "https://arxiv.org/abs/2402.09063", "Puts free embedding vectors behind the request that make the model comply; needs the weights.", Version: 2);

    public IChatModel Wrap(IChatModel inner, TechniqueContext context)
    {
        Found? universal = null;
        return new Layer(inner, settings.ExitLayer, settings.Individual
            ? (requests, token) => [.. requests.Chunk(AtOnce).SelectMany(c => Individual(c, context, token).Solutions)]
            : (requests, token) => [.. Enumerable.Repeat((universal ??= Universal(context, token)).Solutions[0], requests.Count)]);
    }

    /// <summary>The loss that the vectors reach, and how far from any token they lie: on the attacker's own requests.</summary>
    public IReadOnlyList<Metric> Measure(MeasureArguments arguments, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var context = arguments.Context;
        var found = settings.Individual
            ? Individual([.. context.Harmful.Take(AtOnce).Select(r => new ChatRequest(r.Question))], context, cancellationToken)
            : Universal(context, cancellationToken);
        var weight = context.RequireModel(Card.Id).EmbeddingWeight;
        var vectors = tensor([.. found.Solutions.SelectMany(s => s[0])]).view(-1, weight.shape[1]); // (N, D)
        var (length, nearest) = (weight.norm(1).mean(), cdist(vectors, weight).min(1).values); // (N)
        Metric Mean(string name, double value, int n) => new(name, value, n, null, null, Direction.Neutral);
        return
        [
            Mean("soft-prompt-loss", found.Losses.Average(), found.Losses.Count),
            Mean("soft-prompt-norm-ratio", (vectors.norm(1).mean() / length).item<float>(), (int)vectors.shape[0]),
            Mean("soft-prompt-token-distance", (nearest.mean() / length).item<float>(), (int)vectors.shape[0]),
        ];
    }

    private Found Universal(TechniqueContext context, CancellationToken cancellationToken)
    {
        var start = Opening(context);
        var rows = context.Harmful.Select(r => Insert(context.Encode(r), context.Prompt(r.Question, "").Length, start)).ToArray();
        return rows.Length == 0
            ? throw new TemperException($"{Card.Id}: found no complying rows, expected some to descend on")
            : Descend(context, start, () => [.. Enumerable.Range(0, settings.BatchSize).Select(_ => rows[context.Random.Next(rows.Length)])], shared: true, 1, cancellationToken);
    }

    private Found Individual(IReadOnlyList<ChatRequest> requests, TechniqueContext context, CancellationToken cancellationToken)
    {
        var start = Opening(context);
        LatentRow[] rows = [.. requests.Select(r => Affirmative.Row(r, context, settings.TargetWords)).Select(r => Insert(r.Row, r.Prompt, start))];
        return Descend(context, start, () => rows, shared: false, rows.Length, cancellationToken);
    }

    private Found Descend(TechniqueContext context, int[] start, Func<LatentRow[]> draw, bool shared, int each, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var model = context.RequireModel(Card.Id);
        var weight = model.EmbeddingWeight;
        var (step, length) = (settings.StepSize * weight.square().mean().sqrt().item<float>(), weight.norm(1).mean().item<float>());
        var origin = weight.index_select(0, tensor(start.Select(t => (long)t).ToArray())).repeat(each, 1);
        var delta = zeros_like(origin); // (each · n, D)
        List<float[]> kept = [];
        IReadOnlyList<float> losses = [];
        for (var i = 0; i < settings.Steps; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            if ((settings.Steps - i) % settings.SolutionEvery == 0 && (settings.Steps - i) / settings.SolutionEvery < settings.Solutions)
            {
                kept.Add(Checkpoint.Floats(origin + delta));
            }

            var found = Latents.Gradient(model, draw(), [new(0, delta)], shared);
            losses = found.Losses;
            delta.sub_(found.Gradients[0].sign() * (step * (1 - ((double)i / settings.Steps))));
            if (settings.Radius is { } radius)
            {
                Latents.Project(delta, radius * length);
            }
        }

        kept.Add(Checkpoint.Floats(origin + delta));
        kept.Reverse();
        var width = start.Length * model.Config.HiddenSize;
        return new([.. Enumerable.Range(0, each).Select(r => kept.Select(k => k[(r * width)..((r + 1) * width)]).ToArray())], losses);
    }

    /// <summary>A row with the vectors' tokens where a chat model puts them: before the last token of the prompt, which opens the answer.</summary>
    private static LatentRow Insert(EncodedExample row, int prompt, int[] start)
    {
        var at = prompt - 1;
        return new(new([.. row.Ids[..at], .. start, .. row.Ids[at..]], [.. row.Supervised[..at], .. new bool[start.Length], .. row.Supervised[at..]], row.RowId), at);
    }

    private int[] Opening(TechniqueContext context)
    {
        Message[] none = [new(Role.User, "")];
        var ids = context.Prompt(none, settings.Opening)[context.Prompt(none, "").Length..];
        return ids.Length > 0
            ? [.. Enumerable.Range(0, settings.Vectors).Select(i => ids[i % ids.Length])]
            : throw new TemperException($"{Card.Id}: found an empty opening, expected a text for the vectors to begin as");
    }

    /// <param name="Solutions">Of every request, or the one for all, the solutions, the last step's first, each row-major (n, D).</param>
    /// <param name="Losses">Of the rows of the last step.</param>
    private sealed record Found(float[][][] Solutions, IReadOnlyList<float> Losses);

    private sealed class Layer(IChatModel inner, int? exitLayer, Func<IReadOnlyList<ChatRequest>, CancellationToken, float[][][]> find) : IChatModel
    {
        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
        {
            var found = find(requests, cancellationToken);
            return AnyOf.Ask(
                inner,
                Enumerable.Range(0, found[0].Length).Select(s => ((IReadOnlyList<ChatRequest>)[.. requests.Select((r, i) => r with { SoftPrompt = (float[])[.. r.SoftPrompt.Span, .. found[i][s]], ExitLayer = exitLayer })], sampling)),
                cancellationToken);
        }
    }
}
