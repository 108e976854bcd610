using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Editing;

/// <summary>How the value of an edit is searched.</summary>
public sealed record ValueSearchOptions
{
    public int Steps { get; init; } = 40;

    /// <summary>Rate of Adam.</summary>
    public double LearningRate { get; init; } = 0.5;

    /// <summary>Weight of ||delta|| / ||h||², as the authors' code has it.</summary>
    public double Decay { get; init; } = 0.5;

    /// <summary>Longest delta, in lengths of the residual h that it is added to.</summary>
    public double MaxNorm { get; init; } = 0.75;

    /// <summary>The loss that is small enough.</summary>
    public double StopAt { get; init; } = 0.01;
}

/// <summary>The value that an edit should write (Meng et al. 2022): a vector added behind a block at one position, under which the model gives the target.</summary>
// Deviation: one delta for all rows of an edit, which stand for the paper's random prefixes; and no KL term on "{subject} is a", which a chat prompt has no place for.
public static class ValueSearch
{
    /// <summary>The delta, (D), by Adam on the mean loss of the rows' supervised tokens.</summary>
    public static Tensor Find(CausalModel model, IReadOnlyList<EditRow> rows, int layer, ValueSearchOptions options, CancellationToken cancellationToken)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var batch = Batch.Of([.. rows.Select(r => r.Row)]);
        var places = tensor(KeyValueMemory.Places(batch, rows));
        var length = KeyValueMemory.Residuals(model, rows, layer).norm(1).mean().item<float>();
        var delta = zeros(model.Config.HiddenSize);
        using var adam = new AdamW(new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["delta"] = delta }, weightDecay: 0);
        for (var step = 0; step < options.Steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var loss = double.PositiveInfinity;
            delta.grad = Gradients.Of(
                () =>
                {
                    var plain = ResponseLoss.Mean(model, batch, new() { Tap = Add(delta, places, layer) });
                    loss = plain.item<float>();
                    return plain + ((delta.square().sum() + 1e-12).sqrt() * (options.Decay / (length * length)));
                },
                [delta])[0];
            if (loss < options.StopAt)
            {
                delta.grad = null;
                break;
            }

            adam.Step(options.LearningRate);
            delta.grad = null;
            Shorten(delta, options.MaxNorm * length);
        }

        return delta.MoveToOuterDisposeScope();
    }

    /// <summary>Adds a vector, (D), behind a block at given places.</summary>
    /// <param name="places">(B), in the batch laid out flat.</param>
    public static ActivationTap Add(Tensor delta, Tensor places, int layer) => (site, at, value) => site == Site.MlpOutput && at == layer
        ? value.reshape(-1, value.shape[2]).index_add(0, places, delta.unsqueeze(0).expand(places.shape[0], -1), 1).reshape(value.shape)
        : value;

    private static void Shorten(Tensor delta, double longest)
    {
        var norm = delta.norm().item<float>();
        if (norm > longest)
        {
            delta.mul_(longest / norm);
        }
    }
}
