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
}

/// <summary>Embedding-space attack (Schwinn et al. 2023, 2024): free vectors behind the request, descended by the sign of the gradient until the model complies.</summary>
// Deviation: one universal soft prompt for all requests, and steps that fall to zero in place of the paper's early stop.
public sealed class SoftPrompt(SoftPromptSettings settings) : ITechnique, IInferenceLayer, IReadsModel
{
    public static Card Card { get; } = new(
        "soft-prompt", "Embedding-space soft prompt", Phase.PostTuning, TechniqueRole.Attack, Touches.Inference,
        "https://arxiv.org/abs/2402.09063", "Puts free embedding vectors behind the request that make the model comply; needs the weights.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => new Layer(inner, token => Optimize(context, token));

    /// <summary>The vectors, row-major (n, D).</summary>
    private float[] Optimize(TechniqueContext context, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var model = context.RequireModel(Card.Id);
        var start = Opening(context);
        var rows = context.Harmful.Select(r => Insert(r, start, context)).ToArray();
        if (rows.Length == 0)
        {
            throw new TemperException($"{Card.Id}: found no complying rows, expected some to descend on");
        }

        var weight = model.EmbeddingWeight;
        var (step, length) = (settings.StepSize * weight.square().mean().sqrt().item<float>(), weight.norm(1).mean().item<float>());
        var delta = zeros(start.Length, model.Config.HiddenSize); // (n, D)
        for (var i = 0; i < settings.Steps; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var chosen = Enumerable.Range(0, settings.BatchSize).Select(_ => rows[context.Random.Next(rows.Length)]).ToArray();
            var batch = Batch.Of([.. chosen.Select(r => r.Row)]);
            long[] places = [.. chosen.SelectMany((r, b) => Enumerable.Range(0, start.Length).Select(k => (b * batch.Ids.shape[1]) + r.At + k))];
            var tap = Add(delta, tensor(places), chosen.Length);
            var gradient = Gradients.Of(() => ResponseLoss.Mean(model, batch, new() { Tap = tap }), [delta])[0];
            delta.sub_(gradient.sign() * (step * (1 - ((double)i / settings.Steps))));
            if (settings.Radius is { } radius)
            {
                Project(delta, radius * length);
            }
        }

        return Checkpoint.Floats(weight.index_select(0, tensor(start.Select(t => (long)t).ToArray())) + delta);
    }

    /// <summary>Shortens every row that is longer than <paramref name="radius"/> to it.</summary>
    public static void Project(Tensor delta, double radius)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        delta.mul_((radius / delta.norm(1, keepdim: true).clamp_min(1e-12)).clamp_max(1));
    }

    private static ActivationTap Add(Tensor delta, Tensor places, int rows) => (site, _, value) => site == Site.Embedding
        ? value.reshape(-1, value.shape[2]).index_add(0, places, delta.repeat(rows, 1), 1).reshape(value.shape)
        : value;

    /// <summary>A row with the vectors' tokens where a chat model puts them: before the last token of the prompt, which opens the answer.</summary>
    private static (EncodedExample Row, int At) Insert(Example row, int[] start, TechniqueContext context)
    {
        var encoded = context.Encode(row);
        var last = row.Messages.ToList().FindLastIndex(m => m.Role == Role.Assistant);
        var at = context.Prompt([.. row.Messages.Take(last)], "").Length - 1;
        return (new([.. encoded.Ids[..at], .. start, .. encoded.Ids[at..]], [.. encoded.Supervised[..at], .. new bool[start.Length], .. encoded.Supervised[at..]], encoded.RowId), at);
    }

    private int[] Opening(TechniqueContext context)
    {
        Message[] none = [new(Role.User, "")];
        var ids = context.Prompt(none, settings.Opening)[context.Prompt(none, "").Length..];
        return ids.Length > 0
            ? [.. Enumerable.Range(0, settings.Vectors).Select(i => ids[i % ids.Length])]
            : throw new TemperException($"{Card.Id}: found an empty opening, expected a text for the vectors to begin as");
    }

    private sealed class Layer(IChatModel inner, Func<CancellationToken, float[]> optimize) : IChatModel
    {
        private float[]? _vectors;

        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
        {
            _vectors ??= optimize(cancellationToken);
            return inner.Reply([.. requests.Select(r => r with { SoftPrompt = (float[])[.. r.SoftPrompt.Span, .. _vectors] })], sampling, cancellationToken);
        }
    }
}
