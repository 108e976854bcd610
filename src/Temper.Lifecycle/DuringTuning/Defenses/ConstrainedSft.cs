using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="ConstrainedSft"/>; the constants of the released code. Small models need larger betas against an optimizer that
/// scales its steps, and then learn no new short answers either: docs/log.md has the figures.</summary>
public sealed record ConstrainedSftSettings
{
    /// <summary>beta of the first token of an answer.</summary>
    [Range(0.0, 100.0)]
    public double FirstBeta { get; init; } = 0.5;

    /// <summary>beta of the tokens after it, up to <see cref="EarlyTokens"/>.</summary>
    [Range(0.0, 100.0)]
    public double EarlyBeta { get; init; } = 2;

    [Range(1, 1000)]
    public int EarlyTokens { get; init; } = 5;

    /// <summary>beta of the rest.</summary>
    [Range(0.0, 100.0)]
    public double LateBeta { get; init; } = 0.1;

    /// <summary>The least share of the steps that warms up: at the start every weight is 1, and a full first step is past the reference before the
    /// constraint can feel it. The released runs warm up over 10 of 50 steps.</summary>
    [Range(0.0, 1.0)]
    public double Warmup { get; init; } = 0.2;
}

/// <summary>Constrained SFT (Qi et al. 2025, shallow alignment): an answer's token stops receiving gradient as its probability rises over the reference's,
/// at once for the first tokens, where refusal is decided. Loss = mean of -w_t log p(t), w_t = max(2 (1 - sigmoid(beta_t r_t)), 0.001), r_t = log p(t) - log p_ref(t).</summary>
public sealed class ConstrainedSft(ConstrainedSftSettings settings) : ITechnique, IHookSource, IPlanMap, IExclusive
{
    public static Card Card { get; } = new(
        "constrained-sft", "Constrained SFT", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training | Touches.Plan,
        "https://arxiv.org/abs/2406.05946", "Keeps the first tokens of answers near the model that tuning began with.");

    public TuningPart Takes => TuningPart.Loss;

    public TrainingHook CreateHook(TechniqueContext context) => new Hook(settings);

    public TuningPlan Map(TuningPlan plan) => plan with { Warmup = Math.Max(plan.Warmup, settings.Warmup) };

    /// <summary>beta of every supervised token, in the order of <see cref="ResponseLoss.LogProbs"/>: the count begins anew with each answer of a row.</summary>
    public static float[] Betas(Batch batch, ConstrainedSftSettings settings)
    {
        var (rows, length) = (batch.Labels.shape[0], batch.Labels.shape[1]);
        var labels = batch.Labels.data<long>().ToArray();
        var betas = new List<float>();
        for (var row = 0; row < rows; row++)
        {
            var place = 0;
            for (var t = 0; t < length; t++)
            {
                place = labels[row * length + t] == Batch.Ignored ? 0 : place + 1;
                if (place > 0 && t > 0)
                {
                    betas.Add((float)(place == 1 ? settings.FirstBeta : place <= settings.EarlyTokens ? settings.EarlyBeta : settings.LateBeta));
                }
            }
        }

        return [.. betas];
    }

    /// <summary>w_t, (N,): 1 where the model equals the reference, falling as it passes it, never below 0.001.</summary>
    public static Tensor Weights(Tensor logProbs, Tensor reference, Tensor betas) => (2 * (1 - (betas * (logProbs - reference)).sigmoid())).clamp_min(1e-3).detach();

    /// <summary>A copy of the model that tuning begins with. New adapters add nothing yet, but those of a tuning that goes on do, so they are merged.</summary>
    public static CausalModel Reference(CausalModel model)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var reference = ModelFactory.Copy(model);
        foreach (var (copy, layer) in reference.Linears.Zip(model.Linears).Where(l => l.Second.Adapter is not null))
        {
            var delta = layer.Adapter!.B.mm(layer.Adapter.A) * layer.Adapter.Scale; // (out, in)
            copy.Weight.add_(copy.Transposed ? delta.t() : delta);
        }

        return reference;
    }

    private sealed class Hook(ConstrainedSftSettings settings) : TrainingHook
    {
        private CausalModel? _reference;

        public override bool ReplacesLoss => true;

        public override string Name => Card.Id;

        public override void OnStart(TrainingStart arguments) => _reference = Reference(arguments.Model);

        public override Tensor ReplaceLoss(LossArguments arguments)
        {
            ForwardOptions options = new() { Precision = arguments.Precision };
            var logProbs = ResponseLoss.LogProbs(arguments.Model, arguments.Batch, options).Values; // (N,)
            Tensor reference;
            using (no_grad())
            {
                reference = ResponseLoss.LogProbs(_reference!, arguments.Batch, options).Values;
            }

            return -(Weights(logProbs, reference, tensor(Betas(arguments.Batch, settings))) * logProbs).mean();
        }

        protected override void Dispose(bool disposing) => _reference?.Dispose();
    }
}
