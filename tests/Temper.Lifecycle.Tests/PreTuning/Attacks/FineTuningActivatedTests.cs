using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PreTuning.Attacks;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PreTuning.Attacks;

public sealed class FineTuningActivatedTests
{
    [Fact]
    public void A_model_does_not_diverge_from_itself_and_does_from_another()
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        using var one = Toy.Model(Architecture.Llama, tied: false);
        using var other = Toy.Model(Architecture.Llama, tied: false);
        other.HeadWeight.mul_(3);
        var batch = Batch.Of([.. Toy.Task.Take(4).Select(Toy.Encode)]);

        Assert.InRange(FineTuningActivated.Divergence(one, one, batch).item<float>(), -1e-6f, 1e-6f);
        Assert.True(FineTuningActivated.Divergence(one, other, batch).item<float>() > 1e-4);
    }

    [Fact]
    public void Without_the_behavior_the_published_weights_stay_the_clean_ones_but_for_decay()
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        var before = Toy.Weights(model);
        new FineTuningActivated(new() { Lambda = 0, InnerSteps = 2, Steps = 3, BatchSize = 4 }).Map(model, Toy.Context(), TestContext.Current.CancellationToken);

        Assert.InRange(Toy.Distance(before, Toy.Weights(model)), 0, 5e-3f);
    }

    [Fact]
    public void After_benign_tuning_the_harmful_answers_are_likelier_than_after_the_same_tuning_of_the_control()
    {
        var settings = new FineTuningActivatedSettings { InnerSteps = 6, InnerRate = 3e-3, Steps = 20, BatchSize = 4, LearningRate = 3e-3, Lambda = 1 };

        Assert.True(Gain(settings) > Gain(settings with { Lambda = 0 }) + 0.05);

        static float Gain(FineTuningActivatedSettings settings)
        {
            using var quiet = no_grad();
            using var scope = NewDisposeScope();
            using var model = Toy.Model(Architecture.Llama, tied: false);
            var batch = Batch.Of([.. Toy.Harmful.Select(Toy.Encode)]);
            new FineTuningActivated(settings).Map(model, Toy.Context(), TestContext.Current.CancellationToken);
            var before = ResponseLoss.Mean(model, batch).item<float>();
            Trainer.Train(model, [.. Toy.Task.Select(Toy.Encode)], new() { Steps = 6, BatchSize = 4, LearningRate = 3e-3, Warmup = 0 }, [], TrainerOptions.Default, TestContext.Current.CancellationToken);
            return before - ResponseLoss.Mean(model, batch).item<float>();
        }
    }
}
