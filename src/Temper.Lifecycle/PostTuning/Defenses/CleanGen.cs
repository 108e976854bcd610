using System.ComponentModel.DataAnnotations;
using Temper.Core;
using Temper.Engine.Generation;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.PostTuning.Defenses;

/// <summary>Settings of <see cref="CleanGen"/>.</summary>
public sealed record CleanGenSettings
{
    /// <summary>α: a token that the model finds so many times as likely as the reference does is replaced by the reference's.</summary>
    [Range(0.0, double.MaxValue)]
    public double Alpha { get; init; } = 20;
}

/// <summary>CleanGen (Li et al. 2024): decoding beside a reference model that the attacker did not poison, here the checkpoint before tuning; tokens that only the tuned model
/// wants are replaced.</summary>
// Deviation: token by token. The paper drafts k tokens before it compares; what is drafted greedily depends on what came before alone, so the answers are the same and only the speed differs.
public sealed class CleanGen(CleanGenSettings settings) : ITechnique, IInferenceLayer, IReadsBefore
{
    public static Card Card { get; } = new(
        "clean-gen", "CleanGen", Phase.PostTuning, TechniqueRole.Defense, Touches.Inference,
        "https://arxiv.org/abs/2406.12257", "Replaces tokens that the tuned model finds far likelier than the model before tuning.");

    public IChatModel Wrap(IChatModel inner, TechniqueContext context) =>
        inner.Local(Card.Id).Guided(new(context.RequireBefore(Card.Id), (target, reference) => Combine(target, reference, settings.Alpha)));

    /// <summary>The reference's logits where p_target(token) / p_reference(token) >= α for the target's token, else the target's, (B, V).</summary>
    public static Tensor Combine(Tensor target, Tensor reference, double alpha)
    {
        using var scope = NewDisposeScope();
        var token = target.argmax(-1, keepdim: true); // (B, 1)
        var ratio = target.log_softmax(-1).gather(1, token) - reference.log_softmax(-1).gather(1, token);
        return where(ratio.ge(Math.Log(alpha)), reference, target).MoveToOuterDisposeScope();
    }
}
