using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PostTuning.Defenses;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PostTuning.Defenses;

public sealed class SomfTests
{
    private static readonly SomfSettings s_settings = new() { Steps = 10, BatchSize = 4, Rows = 8 };

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void A_mask_that_keeps_all_is_the_tuned_model_and_one_that_keeps_nothing_the_aligned_one(float logit)
    {
        using var models = new Repair();
        using var logits = ModelFactory.Copy(models.Tuned);
        using (no_grad())
        {
            foreach (var parameter in logits.Parameters.Values)
            {
                parameter.fill_(logit);
            }
        }

        var expected = Toy.Weights(logit > 0 ? models.Tuned : models.Aligned);
        Somf.Apply(models.Tuned, models.Aligned, logits, null);

        Assert.Equal(expected, Toy.Weights(models.Tuned));
    }

    [Fact]
    public void Every_weight_ends_as_the_tuned_or_as_the_aligned_one_and_some_of_each()
    {
        using var models = Complying();
        var (tuned, aligned) = (Toy.Weights(models.Tuned), Toy.Weights(models.Aligned));

        models.Map(new Somf(s_settings with { LearningRate = 1 }));

        var after = Toy.Weights(models.Tuned);
        Assert.All(after.Select((w, i) => w == tuned[i] || w == aligned[i]), Assert.True);
        Assert.InRange(after.Where((w, i) => w == aligned[i]).Count() / (double)after.Length, 0.01, 0.99);
    }

    [Fact]
    public void The_control_drops_about_as_many_entries()
    {
        double Dropped(bool random)
        {
            using var models = Complying();
            var aligned = Toy.Weights(models.Aligned);
            models.Map(new Somf(s_settings with { LearningRate = 1, Random = random }));
            return Toy.Weights(models.Tuned).Where((w, i) => w == aligned[i]).Count() / (double)aligned.Length;
        }

        Assert.Equal(Dropped(false), Dropped(true), 0.03);
    }

    [Fact]
    public void Nothing_stays_in_memory()
    {
        using var models = Complying();
        var live = models.Live(new Somf(s_settings));
        Assert.Equal(live[1], live[2]);
    }

    // a model that answers, so that there is something to prefer a refusal to
    private static Repair Complying()
    {
        var models = new Repair();
        Trainer.Train(models.Tuned, [.. Toy.Harmful.Select(Toy.Encode)], new() { Steps = 60, BatchSize = 8, LearningRate = 0.01 }, [], TrainerOptions.Default, TestContext.Current.CancellationToken);
        return models;
    }
}
