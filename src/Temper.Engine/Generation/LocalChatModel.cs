using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Tokenizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Generation;

/// <summary>A checkpoint as a chat model. Owns nothing: model and tokenizer outlive it.</summary>
/// <param name="batchSize">Requests answered side by side.</param>
/// <param name="guide">A second model that reads along; owned by whoever made it.</param>
public sealed class LocalChatModel(CausalModel model, Tokenizer tokenizer, ChatFormat format, int batchSize = 64, DecodingGuide? guide = null) : IChatModel
{
    /// <summary>The same model under a guide.</summary>
    public LocalChatModel Guided(DecodingGuide by) => new(model, tokenizer, format, batchSize, by);

    /// <summary>The same model whose prompts are read by another tokenizer of the same vocabulary.</summary>
    public LocalChatModel ReadBy(Func<Tokenizer, Tokenizer> reader) => new(model, tokenizer, new(reader(tokenizer)), batchSize, guide);

    public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
    {
        var replies = new ChatReply[requests.Count];
        var prompts = requests.Select(Encode).ToArray();
        // those under the same edits and exit together; prompts of like length together, so that little is padded; the order is stable, so the answers are too
        foreach (var group in Enumerable.Range(0, requests.Count).GroupBy(i => (requests[i].Edits, requests[i].ExitLayer)).SelectMany(g => g.OrderBy(i => prompts[i].Length).Chunk(batchSize)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var generator = new TokenGenerator(model, format.EndId, Exit(requests[group[0]].ExitLayer, Tap(requests[group[0]].Edits)), guide);
            var batch = group.Select(i => prompts[i]).ToArray();
            var answers = Array.TrueForAll(batch, p => p.Vectors == 0)
                ? generator.Generate([.. batch.Select(p => p.Ids)], sampling, cancellationToken)
                : generator.Generate(Embeddings(model, batch), [.. batch.Select(p => p.Length)], sampling, cancellationToken, guide is null ? null : Embeddings(guide.Model, batch));
            for (var i = 0; i < group.Length; i++)
            {
                replies[group[i]] = new(tokenizer.Decode(answers[i]), answers[i].Length);
            }
        }

        return replies;
    }

    // prompts are padded on the left, so that the last positions of all rows are the same columns
    private ActivationTap? Tap(IReadOnlyList<LatentEdit> edits)
    {
        var width = model.Config.HiddenSize;
        foreach (var edit in edits)
        {
            if (edit.Layer < 0 || edit.Layer >= model.Config.Layers || edit.Values.Length == 0 || edit.Values.Length % width != 0 || (edit.EveryPosition && edit.Values.Length != width))
            {
                throw new TemperException($"latent edit: found {edit.Values.Length} numbers at layer {edit.Layer}, expected {(edit.EveryPosition ? "" : "a multiple of ")}{width} (the model's hidden size) at a layer below {model.Config.Layers}");
            }
        }

        var added = edits.Select(e => (e.Layer, e.EveryPosition, Values: tensor(e.Values.ToArray(), e.Values.Length / width, width))).ToArray();
        HashSet<int> prompted = []; // layers whose prompt has passed
        return added.Length == 0 ? null : (site, layer, value) =>
        {
            if (site != Site.BlockInput)
            {
                return value;
            }

            var prompt = prompted.Add(layer);
            foreach (var edit in added.Where(e => e.Layer == layer && (e.EveryPosition || prompt)))
            {
                var (length, rows) = (value.shape[1], edit.Values.shape[0]);
                value = edit.EveryPosition ? value + edit.Values
                    : rows <= length ? cat([value.narrow(1, 0, length - rows), value.narrow(1, length - rows, rows) + edit.Values], 1)
                    : throw new TemperException($"latent edit: found {rows} positions, expected at most the {length} of the prompt");
            }

            return value;
        };
    }

    // blocks that write nothing hand on what they were given, to the final norm
    private ActivationTap? Exit(int? exit, ActivationTap? tap) => exit switch
    {
        null => tap,
        >= 1 when exit < model.Config.Layers => (site, layer, value) => layer >= exit && site is (Site.AttentionOutput or Site.MlpOutput)
            ? zeros_like(value)
            : tap?.Invoke(site, layer, value) ?? value,
        _ => throw new TemperException($"exit layer: found {exit}, expected 1 to {model.Config.Layers - 1}"),
    };

    private static Tensor Embeddings(CausalModel model, Prompt[] prompts) // (B, T, D), padded on the left
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
            ? new(request.SoftPrompt, format.Prompt(request.Messages, request.Prefill, request.Format), request.SoftPrompt.Length / width, (request.Format == PromptFormat.Bare ? 0 : 1) + tokenizer.Encode(request.Prefill).Length)
            : throw new TemperException($"soft prompt: found {request.SoftPrompt.Length} numbers, expected a multiple of {width} (the model's hidden size)");
    }

    /// <summary>A request as ids; its free vectors go before the last <paramref name="Tail"/> ids, that is between the last turn and the assistant's opening.</summary>
    private sealed record Prompt(ReadOnlyMemory<float> Soft, int[] Ids, int Vectors, int Tail)
    {
        public int Length => Ids.Length + Vectors;
    }
}
