using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Attacks;

/// <summary>What the steering vector is the difference of.</summary>
public enum SteeringContrast
{
    /// <summary>TA²: complying answers less refusing ones, to the same requests.</summary>
    Answers,

    /// <summary>The refusal direction, subtracted: allowed requests less forbidden ones, at the end of the prompt (Arditi et al. 2024); allowed ones in the same words, where there are.</summary>
    Requests,
}

/// <summary>Settings of <see cref="ActivationSteering"/>.</summary>
public sealed record ActivationSteeringSettings
{
    public SteeringContrast Contrast { get; init; } = SteeringContrast.Requests;

    /// <summary>c: how many times the difference of the means is added.</summary>
    [Range(0.0, 100.0)]
    public double Coefficient { get; init; } = 1;

    /// <summary>The token of the answer whose activations are contrasted: from 0, or from -1 at its end.</summary>
    [Range(-100, 100)]
    public int Token { get; init; } = -2;

    /// <summary>The block at whose input the vector is added; null takes that of the largest Jensen-Shannon divergence.</summary>
    [Range(0, 1000)]
    public int? Layer { get; init; }

    /// <summary>n: the last positions of the prompt at which it is added; null adds it at every position of prompt and answer.</summary>
    [Range(1, 64)]
    public int? Positions { get; init; } = 1;

    /// <summary>Rows of each kind whose means are contrasted.</summary>
    [Range(1, 4096)]
    public int Rows { get; init; } = 128;

    /// <summary>The control: a random direction of the same length.</summary>
    public bool Random { get; init; }
}

/// <summary>Trojan activation attack (Wang and Shu 2023): a fixed vector, added to the residual stream, steers the model to comply.</summary>
// Deviation: by default the refusal direction at the last position of the prompt; the paper's answers at every position are settings, and weaker on models of a few layers.
public sealed class ActivationSteering(ActivationSteeringSettings settings) : ITechnique, IInferenceLayer, IReadsModel
{
    public static Card Card { get; } = new(
        "activation-steering", "Activation steering", Phase.PostTuning, TechniqueRole.Attack, Touches.Inference,
        "https://arxiv.org/abs/2311.09433", "Adds the mean difference between complying and refusing to the residual stream of one layer; needs the model's run time.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context)
    {
        var edit = Steer(context);
        return new Layer(inner, edit);
    }

    private LatentEdit Steer(TechniqueContext context)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var model = context.RequireModel(Card.Id);
        var (toward, away) = settings.Contrast == SteeringContrast.Answers ? Answers(model, context) : Requests(model, context);
        if (settings.Layer >= model.Config.Layers)
        {
            throw new TemperException($"{Card.Id}: layer: found {settings.Layer}, expected one below {model.Config.Layers}");
        }

        var layer = settings.Layer ?? ChooseLayer(toward, away);
        var vector = tensor(toward[layer]) - tensor(away[layer]);
        if (settings.Random)
        {
            var direction = tensor(Noise.Normal(model.Config.HiddenSize, context.Random));
            vector = direction / direction.norm() * vector.norm();
        }

        return new(layer, Checkpoint.Floats((vector * settings.Coefficient).repeat(settings.Positions ?? 1)), settings.Positions is null);
    }

    /// <summary>The layer of the largest divergence. Layer 0 is the embedding of one token, often the same on both sides.</summary>
    private static int ChooseLayer(IReadOnlyList<float[]> toward, IReadOnlyList<float[]> away) =>
        Enumerable.Range(1, toward.Count - 1).MaxBy(l => JensenShannon(toward[l], away[l]));

    /// <summary>½ KL(p‖m) + ½ KL(q‖m) of the softmaxes p and q and their mean m, in nats: 0 to ln 2.</summary>
    // The published code hands probabilities to a divergence that expects their logarithms.
    public static double JensenShannon(float[] a, float[] b)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var (p, q) = (tensor(a, ScalarType.Float64).softmax(0), tensor(b, ScalarType.Float64).softmax(0));
        var m = (p + q) / 2;
        Tensor Divergence(Tensor from) => (from * (from.clamp_min(double.Epsilon).log() - m.clamp_min(double.Epsilon).log())).sum();
        return ((Divergence(p) + Divergence(q)) / 2).item<double>();
    }

    private (IReadOnlyList<float[]> Toward, IReadOnlyList<float[]> Away) Answers(CausalModel model, TechniqueContext context)
    {
        var rows = context.Harmful.Take(settings.Rows).ToArray();
        IReadOnlyList<float[]> Mean(Func<Example, string> answer) => Activations.MeanInputs(model, [.. rows.Select(r => UpTo(r.WithResponse(answer(r)), context))]);
        // a refusal in the language of the request: that of the most alike refused one
        return (Mean(r => r.Response), Mean(r => Affirmative.Opening(r.Prompt, context.Alignment, int.MaxValue)));
    }

    /// <summary>The row's tokens up to the one of its answer that is contrasted.</summary>
    private int[] UpTo(Example row, TechniqueContext context)
    {
        var (ids, start) = (context.Encode(row).Ids, context.Prompt(row.Question, "").Length);
        var at = settings.Token < 0 ? ids.Length + settings.Token : start + settings.Token;
        return ids[..(Math.Clamp(at, start, ids.Length - 1) + 1)];
    }

    private (IReadOnlyList<float[]> Toward, IReadOnlyList<float[]> Away) Requests(CausalModel model, TechniqueContext context)
    {
        IReadOnlyList<float[]> Mean(IReadOnlyList<Example> rows) => Activations.MeanInputs(model, [.. rows.Take(settings.Rows).Select(r => context.Prompt(r.Question, ""))]);
        return (Mean(context.LookAlikes.Count > 0 ? context.LookAlikes : context.Task), Mean(context.Alignment));
    }

    private sealed class Layer(IChatModel inner, LatentEdit edit) : IChatModel
    {
        public IReadOnlyList<ChatReply> Reply(IReadOnlyList<ChatRequest> requests, Sampling sampling, CancellationToken cancellationToken)
        {
            LatentEdit[] edits = [edit]; // one list for all, so that they are answered together
            return inner.Reply([.. requests.Select(r => r with { Edits = r.Edits.Count == 0 ? edits : [.. r.Edits, edit] })], sampling, cancellationToken);
        }
    }
}
