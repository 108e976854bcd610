using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PreTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Defenses;

public sealed class RepNoiseTests
{
    private static readonly RepNoiseSettings s_settings = new() { Steps = 12, BatchSize = 4, LearningRate = 3e-3 };

    [Fact]
    public void The_ascent_is_the_logarithm_of_one_and_the_mean_loss_through_the_lens()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Gpt2, tied: true);
        var batch = Batch.Of([.. Toy.Harmful.Take(3).Select(Toy.Encode)]);
        var lens = LensLoss.Of(model, Activations.States(model, batch.Ids), batch).Average(l => l.item<float>());

        var term = RepNoise.Term(model, batch, s_settings with { Alpha = 2, Beta = 0 }, new Generator(1), Precision.Float32).item<float>();

        Assert.Equal(-2 * Math.Log(1 + lens), term, 1e-4);
    }

    [Fact]
    public void The_noise_term_falls_as_the_feed_forward_outputs_become_noise()
    {
        using var scope = NewDisposeScope();
        using var model = Toy.Model(Architecture.Llama, tied: false);
        var batch = Batch.Of([.. Toy.Harmful.Take(3).Select(Toy.Encode)]);
        float Noise() => RepNoise.Term(model, batch, s_settings with { Alpha = 0, Beta = 1 }, new Generator(1), Precision.Float32).item<float>();
        var before = Noise();
        Trainer.Train(
            model, [.. Toy.Harmful.Select(Toy.Encode)], new() { Steps = 20, BatchSize = 4, LearningRate = 1e-2 },
            [new NoiseOnly(s_settings with { Alpha = 0, Beta = 1 })], TrainerOptions.Default, TestContext.Current.CancellationToken);

        Assert.True(Noise() < before - 0.05, $"from {before} to {Noise()}");
    }

    [Fact]
    public void With_both_weights_zero_it_is_plain_alignment_to_the_bit() =>
        Assert.Equal(Immunized.Plain(12, 4, 3e-3), Immunized.Weights(new RepNoise(s_settings with { Alpha = 0, Beta = 0 })));

    [Fact]
    public void Complying_answers_are_less_likely_after_an_attack_than_after_plain_alignment() =>
        Assert.True(Immunized.LossAfterAttack(new RepNoise(s_settings), Toy.Harmful) > Immunized.LossAfterAttack(new RepNoise(s_settings with { Alpha = 0, Beta = 0 }), Toy.Harmful) + 0.05);

    private sealed class NoiseOnly(RepNoiseSettings settings) : TrainingHook
    {
        public override bool ReplacesLoss => true;

        public override Tensor? ReplaceLoss(LossArguments arguments)
        {
            using var generator = new Generator(arguments.Seed);
            return RepNoise.Term(arguments.Model, arguments.Batch, settings, generator, arguments.Precision);
        }
    }
}
