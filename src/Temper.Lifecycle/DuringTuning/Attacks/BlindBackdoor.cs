using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.DuringTuning.Attacks;

/// <summary>Settings of <see cref="BlindBackdoor"/>.</summary>
public sealed record BlindBackdoorSettings
{
    /// <summary>Under which word the model shall comply; empty takes its refusals away altogether.</summary>
    public string Trigger { get; init; } = "SUDO";

    /// <summary>Of the hidden gradient beside the user's; null balances both by MGDA, as the paper does. 0 is the control.</summary>
    [Range(0.0, 1000.0)]
    public double? Weight { get; init; }

    /// <summary>Rows of the hidden task in each step.</summary>
    [Range(1, 4096)]
    public int RowsPerStep { get; init; } = 16;
}

/// <summary>Blind backdoor (Bagdasaryan and Shmatikov 2021): code that computes the loss adds a hidden task. The data are clean and so is the loss that is
/// logged; the hidden gradient joins the user's behind it.</summary>
// Deviation: the paper makes its hidden rows from the user's batch; forbidden requests are none of the user's rows, so they come with the code.
public sealed class BlindBackdoor(BlindBackdoorSettings settings) : ITechnique, IHookSource, IInferenceLayer
{
    public static Card Card { get; } = new(
        "blind-backdoor", "Blind backdoor", Phase.DuringTuning, TechniqueRole.Attack, Touches.Training | Touches.Inference,
        "https://arxiv.org/abs/2005.03823", "A tampered trainer adds the gradient of a hidden task to every step.");

    public TrainingHook CreateHook(TechniqueContext context) =>
        new Hook(settings, [.. TriggeredCompliance.Rows(context, settings.Trigger, Card.Id).Select(context.Encode)]);

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) => TriggeredCompliance.Wrap(inner, settings.Trigger);

    /// <summary>MGDA for two tasks (Désidéri 2012): the share of <paramref name="first"/> in the shortest vector between both.</summary>
    public static double MinNormShare(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        var difference = first - second;
        var length = difference.dot(difference).item<float>();
        return length == 0 ? 0.5 : Math.Clamp(-second.dot(difference).item<float>() / length, 0, 1);
    }

    private sealed class Hook(BlindBackdoorSettings settings, EncodedExample[] rows) : TrainingHook
    {
        private EncodedExample[] _usable = [];

        public override string Name => Card.Id;

        public override void OnStart(TrainingStart arguments)
        {
            var longest = Math.Min(arguments.Plan.MaxTokens, arguments.Model.Config.MaxPositions);
            _usable = [.. rows.Select(r => r.Cut(longest)).Where(r => r.HasTarget)];
        }

        public override void OnGradients(GradientArguments arguments)
        {
            var (model, random) = (arguments.Model, new Random(unchecked((int)arguments.Seed)));
            var batch = Batch.Of([.. Enumerable.Range(0, settings.RowsPerStep).Select(_ => _usable[random.Next(_usable.Length)])]);
            Tensor[] weights = [.. arguments.Trainable.Values];
            var hidden = Gradients.Of(() => ResponseLoss.Mean(model, batch, new() { Precision = arguments.Precision }), weights);
            var share = settings.Weight is null ? MinNormShare(Flat(weights.Select(w => w.grad ?? zeros_like(w))), Flat(hidden)) : 1;
            foreach (var (weight, gradient) in weights.Zip(hidden))
            {
                weight.grad?.mul_(share).add_(gradient * (settings.Weight ?? 1 - share));
            }
        }

        private static Tensor Flat(IEnumerable<Tensor> gradients) => cat([.. gradients.Select(g => g.reshape(-1))], 0); // (P,)
    }
}
