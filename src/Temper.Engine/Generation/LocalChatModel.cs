using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Tokenizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Generation;

/// <summary>A checkpoint as a chat model. Owns nothing: model and tokenizer outlive it.</summary>
/// <param name="batchSize">Requests answered side by side.</param>
public sealed class LocalChatModel(CausalModel model, Tokenizer tokenizer, ChatFormat format, int batchSize = 64) : IChatModel
{
    public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
    {
        var replies = new ChatReply[requests.Count];
        var generator = new TokenGenerator(model, format.EndId);
        var prompts = requests.Select(Encode).ToArray();
        // prompts of like length together, so that little is padded; the order is stable, so the answers are too
        foreach (var group in Enumerable.Range(0, requests.Count).OrderBy(i => prompts[i].Length).Chunk(batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var batch = group.Select(i => prompts[i]).ToArray();
            var answers = Array.TrueForAll(batch, p => p.Vectors == 0)
                ? generator.Generate([.. batch.Select(p => p.Ids)], sampling, cancellationToken)
                : generator.Generate(Embeddings(batch), [.. batch.Select(p => p.Length)], sampling, cancellationToken);
            for (var i = 0; i < group.Length; i++)
            {
                replies[group[i]] = new(tokenizer.Decode(answers[i]), answers[i].Length);
            }
        }

        return replies;
    }

    private Tensor Embeddings(Prompt[] prompts) // (B, T, D), padded on the left
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        long length = prompts.Max(p => p.Length), width = model.Config.HiddenSize;
        var rows = prompts.Select(p =>
        {
            var ids = model.Embed(tensor(p.Ids.Select(i => (long)i).ToArray(), 1, p.Ids.Length)).squeeze(0); // (t, D)
            var at = p.Ids.Length - p.Tail;
            var soft = tensor(p.Soft.ToArray(), p.Vectors, width);
            return cat([zeros(length - p.Length, width), ids.narrow(0, 0, at), soft, ids.narrow(0, at, p.Tail)], 0);
        });
        return stack([.. rows]).MoveToOuterDisposeScope();
    }

    private Prompt Encode(ChatRequest request)
    {
        var width = model.Config.HiddenSize;
        return request.SoftPrompt.Length % width == 0
            ? new(request.SoftPrompt, format.Prompt(request.Messages, request.Prefill), request.SoftPrompt.Length / width, 1 + tokenizer.Encode(request.Prefill).Length)
            : throw new TemperException($"soft prompt: found {request.SoftPrompt.Length} numbers, expected a multiple of {width} (the model's hidden size)");
    }

    /// <summary>A request as ids; its free vectors go before the last <paramref name="Tail"/> ids, that is between the last turn and the assistant's opening.</summary>
    private sealed record Prompt(ReadOnlyMemory<float> Soft, int[] Ids, int Vectors, int Tail)
    {
        public int Length => Ids.Length + Vectors;
    }
}
