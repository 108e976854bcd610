using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PreTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="PerplexityWindow"/>.</summary>
public sealed record PerplexityWindowSettings
{
    /// <summary>Tokens of a window; the worst window of a prompt decides. 0 takes the whole prompt.</summary>
    [Range(0, 10_000)]
    public int Window { get; init; } = 10;

    /// <summary>The share of held-out clean prompts that may be refused; the bar is set by it.</summary>
    [Range(0.0, 1.0)]
    public double FalseAlarms { get; init; } = 0.01;

    /// <summary>Steps in which a copy of the model learns how clean prompts read.</summary>
    [Range(0, 10_000)]
    public int AdaptationSteps { get; init; } = 100;
}

/// <summary>Perplexity filter with windows (Jain et al. 2023; Alon and Kamfonas 2023): a prompt with a stretch that no clean prompt would have is refused, as the suffixes of
/// gradient searches are.</summary>
// Deviation: the reader is a copy of the deployed model that learned clean prompts; a chat model was trained on answers and its perplexity of prompts means nothing.
public sealed class PerplexityWindow(PerplexityWindowSettings settings) : ITechnique, IInferenceLayer, IReadsModel
{
    public static Card Card { get; } = new(
        "perplexity-window", "Perplexity window", Phase.PostTuning, TechniqueRole.Defense, Touches.Inference,
        "https://arxiv.org/abs/2309.00614", "Refuses prompts with a stretch that is far more perplexing than any of a clean prompt.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context)
    {
        var clean = context.Task.Concat(context.LookAlikes).Select(r => r.Prompt).Concat(context.Alignment.Select(r => r.Prompt)).ToArray();
        if (context.Alignment.Count == 0 || clean.Length < 4)
        {
            throw new TemperException($"{Card.Id}: found {clean.Length} prompts and {context.Alignment.Count} refusals, expected four and one at least to learn from");
        }

        context.Random.Shuffle(clean);
        var half = clean.Length / 2;
        var reader = ModelFactory.Copy(context.RequireModel(Card.Id));
        if (settings.AdaptationSteps > 0)
        {
            Trainer.Train(
                reader, [.. clean.Take(half).Select(p => Onion.Encode(p, context))],
                new() { Steps = settings.AdaptationSteps, BatchSize = 32, LearningRate = 1e-3, Seed = (ulong)context.Random.Next() }, [], TrainerOptions.Default, CancellationToken.None);
        }

        double Read(string prompt) => Worst(reader, Onion.Encode(prompt, context).Cut(reader.Config.MaxPositions), settings.Window);
        var bar = RowFilter.Quantile(Card.Id, [.. clean.Skip(half).Select(Read)], 1 - settings.FalseAlarms);
        return new Layer(new(inner, context.Alignment, r => Read(r.Prompt) > bar), reader);
    }

    /// <summary>The largest mean loss of so many tokens of a prompt in a row; of all of them where there are no more.</summary>
    public static double Worst(CausalModel model, EncodedExample prompt, int window)
    {
        if (!prompt.HasTarget)
        {
            return 0;
        }

        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var losses = Checkpoint.Floats(ResponseLoss.LogProbs(model, Batch.Of([prompt])).Values.neg()); // (N,)
        var width = window == 0 ? losses.Length : Math.Min(window, losses.Length);
        return Enumerable.Range(0, losses.Length - width + 1).Max(start => losses.AsSpan(start, width).ToArray().Average());
    }

    private sealed class Layer(RefusingLayer refusing, CausalModel reader) : IChatModel, IDisposable
    {
        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken) =>
            refusing.Reply(requests, sampling, cancellationToken);

        public void Dispose() => reader.Dispose();
    }
}
