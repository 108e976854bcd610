using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Temper.Engine.Search;

/// <summary>A prompt with a gap, and what should be answered.</summary>
/// <param name="Before">The tokens before the gap; one at least.</param>
/// <param name="After">The tokens between the gap and the answer.</param>
public sealed record SuffixTarget(int[] Before, int[] After, int[] Target);

/// <summary>The mean cross entropy of the targets behind a text in the gap, the same in every prompt.</summary>
public sealed class SuffixObjective(CausalModel model, IReadOnlyList<SuffixTarget> targets) : ITokenObjective
{
    private const int TokensAtOnce = 4096;

    public IReadOnlyList<double> Losses(IReadOnlyList<int[]> candidates)
    {
        using var quiet = no_grad();
        var sums = new double[candidates.Count];
        foreach (var target in targets)
        {
            var length = target.Before.Length + candidates[0].Length + target.After.Length + target.Target.Length;
            foreach (var chunk in Enumerable.Range(0, candidates.Count).Chunk(Math.Max(1, TokensAtOnce / length)))
            {
                using var scope = NewDisposeScope();
                var losses = Loss(target, [.. chunk.Select(i => candidates[i])], null).data<float>().ToArray();
                foreach (var (i, loss) in chunk.Zip(losses))
                {
                    sums[i] += loss / targets.Count;
                }
            }
        }

        return sums;
    }

    // ∂L/∂onehot[i, v] = ∂L/∂x_i · E_v, x_i the embedding at place i
    public Tensor Gradient(int[] tokens)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var delta = zeros(tokens.Length, model.Config.HiddenSize); // (n, D)
        var gradient = Gradients.Of(() => stack([.. targets.Select(t => Loss(t, [tokens], delta).mean())]).mean(), [delta])[0];
        return F.linear(gradient, model.EmbeddingWeight).MoveToOuterDisposeScope(); // (n, V)
    }

    /// <summary>The same of free vectors in the gap, (n, D).</summary>
    public Tensor Of(Tensor vectors)
    {
        using var scope = NewDisposeScope();
        var filler = new int[vectors.shape[0]]; // token 0, whose embedding is taken away again
        var place = model.Embed(zeros([1, filler.Length], ScalarType.Int64)).squeeze(0).detach();
        return stack([.. targets.Select(t => Loss(t, [filler], vectors - place).mean())]).mean().MoveToOuterDisposeScope();
    }

    /// <param name="delta">Added to the embeddings in the gap.</param>
    private Tensor Loss(SuffixTarget target, int[][] candidates, Tensor? delta) // (N)
    {
        int before = target.Before.Length, gap = candidates[0].Length, answer = target.Target.Length;
        var ids = candidates.SelectMany(c => (int[])[.. target.Before, .. c, .. target.After, .. target.Target]).Select(i => (long)i).ToArray();
        var length = ids.Length / candidates.Length;
        var embeddings = model.Embed(tensor(ids, candidates.Length, length)); // (N, T, D)
        if (delta is not null)
        {
            embeddings = cat([embeddings.narrow(1, 0, before), embeddings.narrow(1, before, gap) + delta, embeddings.narrow(1, before + gap, length - before - gap)], 1);
        }

        var hidden = model.Hidden(embeddings, ForwardOptions.Default).narrow(1, length - answer - 1, answer); // (N, A, D)
        var logits = model.Logits(hidden).reshape(-1, model.Config.VocabularySize);
        var expected = tensor(target.Target.Select(i => (long)i).ToArray()).repeat(candidates.Length);
        return F.cross_entropy(logits, expected, reduction: nn.Reduction.None).view(candidates.Length, answer).mean([1]);
    }
}
