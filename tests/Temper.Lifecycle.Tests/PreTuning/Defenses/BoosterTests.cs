using Temper.Lifecycle.PreTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class BoosterTests
{
    private static readonly BoosterSettings s_settings = new() { Steps = 12, BatchSize = 4, LearningRate = 3e-3, Lambda = 5, Alpha = 0.1 };

    [Fact]
    public void On_a_quadratic_the_term_is_alpha_H_g_over_the_norm_of_g_and_the_weights_are_restored()
    {
        using var scope = NewDisposeScope();
        var w = tensor(new[] { 1f, -2f, 0.5f });
        var h = tensor(new[] { 2f, 1f, 0f, 1f, 3f, 0f, 0f, 0f, 1f }, 3, 3);
        var parameters = new Dictionary<string, Tensor>(StringComparer.Ordinal) { ["w"] = w };

        var term = Booster.Term(() => w.dot(h.mv(w)) / 2, parameters, 0.1)[0];

        var g = h.mv(w);
        Assert.InRange((term - (h.mv(g) * 0.1 / g.norm())).abs().max().item<float>(), 0, 1e-6f);
        Assert.Equal([1f, -2f, 0.5f], w.data<float>().ToArray());
    }

    [Fact]
    public void Lambda_zero_is_plain_alignment_to_the_bit() =>
        Assert.Equal(Immunized.Plain(12, 4, 3e-3), Immunized.Weights(new Booster(s_settings with { Lambda = 0 })));

    [Fact]
    public void A_harmful_step_gains_less_than_after_plain_alignment()
    {
        static float Gain(IWeightMap technique)
        {
            using var model = Toy.Model(Engine.Models.Architecture.Llama, tied: false);
            technique.Map(model, Toy.Context(), TestContext.Current.CancellationToken);
            return Immunized.Loss(model, Toy.Harmful) - Immunized.LossAfterAttack(technique, Toy.Harmful, steps: 1);
        }

        Assert.True(Gain(new Booster(s_settings)) < Gain(new Booster(s_settings with { Lambda = 0 })));
    }
}
