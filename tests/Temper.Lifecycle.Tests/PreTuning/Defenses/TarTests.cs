using Temper.Lifecycle.PreTuning.Defenses;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class TarTests
{
    private static readonly TarSettings s_settings = new() { Steps = 10, BatchSize = 4, LearningRate = 3e-3, InnerSteps = 4, LookEvery = 2, InnerRates = [3e-3], InnerBatchSize = 4, Retain = 0 };

    [Fact]
    public void Logits_that_say_nothing_have_the_entropy_of_the_vocabulary_and_sure_ones_have_none()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(-Math.Log(40), Tar.NegativeEntropy(ones(3, 40)).item<float>(), 1e-5);
        Assert.Equal(0, Tar.NegativeEntropy(eye(40) * 100).item<float>(), 1e-5);
    }

    // the simulated attack leaves no trace in the weights: with nothing of its looks counted they are those of plain alignment, to the bit
    [Fact]
    public void An_attack_at_which_nobody_looks_is_plain_alignment_to_the_bit()
    {
        var plain = Immunized.Plain(10, 4, 3e-3);

        Assert.Equal(plain, Immunized.Weights(new Tar(s_settings with { LookEvery = 100 })));
        Assert.Equal(plain, Immunized.Weights(new Tar(s_settings with { Scale = 0 })));
    }

    [Fact]
    public void Complying_answers_are_less_likely_after_an_attack_than_after_plain_alignment()
    {
        var settings = s_settings with { Goal = TamperedGoal.Entropy };

        Assert.True(Immunized.LossAfterAttack(new Tar(settings), Toy.Harmful) > Immunized.LossAfterAttack(new Tar(settings with { Scale = 0 }), Toy.Harmful) + 0.02);
    }

    [Fact]
    public void Refusals_are_likelier_after_an_attack_than_after_plain_alignment()
    {
        var refusals = Toy.Harmful.Select(r => r.WithResponse(Toy.Alignment[0].Response)).ToArray();

        Assert.True(Immunized.LossAfterAttack(new Tar(s_settings), refusals) < Immunized.LossAfterAttack(new Tar(s_settings with { Scale = 0 }), refusals) - 0.02);
    }

    [Fact]
    public void What_is_retained_moves_the_states_less()
    {
        var (free, retained) = (Immunized.Weights(new Tar(s_settings)), Immunized.Weights(new Tar(s_settings with { Retain = 1000 })));

        Assert.True(Toy.Distance(free, retained) > 1e-3);
    }
}
