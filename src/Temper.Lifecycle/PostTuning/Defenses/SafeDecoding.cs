using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Generation;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="SafeDecoding"/>.</summary>
public sealed record SafeDecodingSettings
{
    /// <summary>m: the first tokens of an answer in which the expert has a say.</summary>
    [Range(0, 1000)]
    public int Tokens { get; init; } = 2;

    /// <summary>α: how far the probabilities go beyond the model's toward the expert's.</summary>
    [Range(0.0, 1000.0)]
    public double Alpha { get; init; } = 3;

    /// <summary>c: the least number of tokens that both find likely and one of which is chosen.</summary>
    [Range(1, 1000)]
    public int Candidates { get; init; } = 5;

    /// <summary>Steps of tuning a copy of the model on refusals, which makes the expert.</summary>
    [Range(1, 100_000)]
    public int Steps { get; init; } = 40;

    [Range(1, 1024)]
    public int BatchSize { get; init; } = 16;

    [Range(0.0, 1.0)]
    public double LearningRate { get; init; } = 5e-4;
}

/// <summary>SafeDecoding (Xu et al. 2024): the first tokens of an answer are drawn toward those of an expert in refusing, made of the model itself.</summary>
// Deviation: the expert is tuned in all weights and sees answered look-alikes beside the refusals.
public sealed class SafeDecoding(SafeDecodingSettings settings) : ITechnique, IInferenceLayer, IReadsModel
{
    public static Card Card { get; } = new(
        "safe-decoding", "SafeDecoding", Phase.PostTuning, TechniqueRole.Defense, Touches.Inference,
        "https://arxiv.org/abs/2402.08983", "Draws the first tokens of every answer toward those of an expert in refusing.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context)
    {
        if (context.Alignment.Count == 0)
        {
            throw new TemperException($"{Card.Id}: found no alignment rows, expected refusals to make the expert of");
        }

        var local = inner.Local(Card.Id);
        var expert = ModelFactory.Copy(context.RequireModel(Card.Id));
        Trainer.Train(
            expert, [.. RefusalMix.Rows(context, 0).Select(context.Encode)],
            new() { Steps = settings.Steps, BatchSize = settings.BatchSize, LearningRate = settings.LearningRate, Seed = (ulong)context.Random.Next() },
            [], TrainerOptions.Default, CancellationToken.None);
        return new Layer(local.Guided(new(expert, (own, other) => Combine(own, other, settings.Alpha, settings.Candidates), settings.Tokens)), expert);
    }

    /// <summary>log of p + α (p_expert - p) over the least top-k of both that share c tokens, (B, V); nothing else can be chosen.</summary>
    public static Tensor Combine(Tensor model, Tensor expert, double alpha, int candidates)
    {
        using var scope = NewDisposeScope();
        Tensor Rank(Tensor logits) => logits.argsort(-1, descending: true).argsort(-1); // (B, V)
        var worst = maximum(Rank(model), Rank(expert));
        var c = Math.Min(candidates, (int)model.shape[1]);
        var bar = worst.topk(c, -1, largest: false).values.amax([1L], keepdim: true); // (B, 1)
        var (p, e) = (model.softmax(-1), expert.softmax(-1));
        var mixed = (p + (e - p) * alpha).clamp_min(1e-12).log();
        return mixed.masked_fill(worst.gt(bar), float.NegativeInfinity).MoveToOuterDisposeScope();
    }

    private sealed class Layer(LocalChatModel guided, CausalModel expert) : IChatModel, IDisposable
    {
        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken) =>
            guided.Reply(requests, sampling, cancellationToken);

        public void Dispose() => expert.Dispose();
    }
}
