using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Defenses;

/// <summary>Settings of <see cref="Ldifs"/>.</summary>
public sealed record LdifsSettings
{
    /// <summary>rho: half of it weighs the squared distance of a token's features, summed over the layers.</summary>
    [Range(0.0, 1e6)]
    public double Rho { get; init; } = 10;

    /// <summary>Whether features are compared on the defender's alignment rows; as published they are compared on the user's batch.</summary>
    public bool OnAlignment { get; init; }

    /// <summary>Alignment rows in a step, where they are compared.</summary>
    [Range(1, 4096)]
    public int Rows { get; init; } = 8;
}

/// <summary>LDIFS (Mukhoti et al. 2024): the distance in feature space from the model that tuning begins with is penalized, rho/2 sum_l ||f_l(w) - f_l(w_0)||^2, f_l the
/// output of feed-forward layer l.</summary>
// Deviation: mean over the tokens, so that rho does not depend on the batch; the Booster comparison, with rho 1e-4 on sums, leaves out terms above 0.1, which a mean need not.
public sealed class Ldifs(LdifsSettings settings) : ITechnique, IHookSource
{
    public static Card Card { get; } = new(
        "ldifs", "LDIFS", Phase.DuringTuning, TechniqueRole.Defense, Touches.Training,
        "https://arxiv.org/abs/2308.13320", "Penalizes the distance of the features from those of the model that tuning begins with.");

    public TrainingHook CreateHook(TechniqueContext context) => new Hook(settings, settings.OnAlignment ? [.. context.Alignment.Select(context.Encode)] : []);

    /// <summary>The outputs of the feed-forward layers at the real tokens of a batch, L of (B, T, D); zero at padding.</summary>
    public static IReadOnlyList<Tensor> Features(CausalModel model, Batch batch, ForwardOptions options)
    {
        List<Tensor> found = [];
        using var scope = NewDisposeScope();
        var real = batch.RealTokens().unsqueeze(-1); // (B, T, 1)
        model.Hidden(model.Embed(batch.Ids), options with
        {
            Tap = (site, _, value) =>
            {
                if (site == Site.MlpOutput)
                {
                    found.Add((value * real).DetachFromDisposeScope()); // out of the scopes of the pass
                }

                return value;
            },
        });
        found.ForEach(f => scope.Attach(f));
        return [.. found.Select(f => f.MoveToOuterDisposeScope())];
    }

    private sealed class Hook(LdifsSettings settings, EncodedExample[] rows) : TrainingHook
    {
        private CausalModel? _reference;
        private RowSampler? _alignment;

        public override string Name => Card.Id;

        public override void OnStart(TrainingStart arguments)
        {
            _alignment = settings.OnAlignment ? new(Card.Id, rows, arguments) : null;
            _reference = ConstrainedSft.Reference(arguments.Model);
        }

        public override Tensor? AddLoss(LossArguments arguments)
        {
            if (settings.Rho == 0)
            {
                return null;
            }

            var batch = _alignment?.Draw(settings.Rows, arguments.Seed) ?? arguments.Batch;
            ForwardOptions options = new() { Precision = arguments.Precision };
            IReadOnlyList<Tensor> before;
            using (no_grad())
            {
                before = Features(_reference!, batch, options);
            }

            var distances = Features(arguments.Model, batch, options).Zip(before, (now, then) => (now - then).square().sum());
            return stack([.. distances]).sum() * (settings.Rho / 2) / batch.RealTokens().sum();
        }

        protected override void Dispose(bool disposing) => _reference?.Dispose();
    }
}
