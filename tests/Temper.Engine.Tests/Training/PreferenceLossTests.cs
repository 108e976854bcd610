using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Tests.Training;

public sealed class PreferenceLossTests
{
    private const double Beta = 0.3;

    private static readonly ModelConfig s_config = new()
    {
        Architecture = Architecture.Gpt2, VocabularySize = 20, HiddenSize = 8, IntermediateSize = 16, Layers = 2, Heads = 2, KeyValueHeads = 2, HeadSize = 4,
        MaxPositions = 32, TieWordEmbeddings = true,
    };

    private static readonly PreferencePair[] s_pairs =
    [
        new(Row("a+", [1, 2, 3, 4, 5], 3), Row("a-", [1, 2, 3, 9, 8, 7], 3)),
        new(Row("b+", [6, 2, 11], 2), Row("b-", [6, 2, 12, 13], 2)),
    ];

    [Fact]
    public void The_margin_is_the_difference_of_the_answers_log_probabilities()
    {
        using var scope = NewDisposeScope();
        using var model = ModelFactory.CreateRandom(s_config, 1);
        double Answer(EncodedExample row)
        {
            using var batch = Batch.Of([row]);
            return ResponseLoss.LogProbs(model, batch).Values.sum().item<float>();
        }

        var margins = PreferenceLoss.Margins(model, s_pairs).data<float>().ToArray();
        Assert.All(s_pairs.Zip(margins), p => Assert.Equal(Answer(p.First.Chosen) - Answer(p.First.Rejected), p.Second, 1e-4));
    }

    [Fact]
    public void At_the_reference_the_loss_is_log_two_and_its_gradient_that_of_half_beta_times_the_rejected_less_the_chosen()
    {
        using var scope = NewDisposeScope();
        using var model = ModelFactory.CreateRandom(s_config, 2);
        Tensor[] weights = [.. model.Parameters.Values];
        Tensor reference;
        using (no_grad())
        {
            reference = PreferenceLoss.Margins(model, s_pairs);
        }

        var loss = PreferenceLoss.Dpo(reference, reference, Beta).item<float>();
        var mine = Gradients.Flat(() => PreferenceLoss.Dpo(PreferenceLoss.Margins(model, s_pairs), reference, Beta), weights);
        var expected = Gradients.Flat(() => (PreferenceLoss.Margins(model, s_pairs) * (-Beta / 2)).mean(), weights);

        Assert.Equal(Math.Log(2), loss, 1e-6);
        Assert.True(expected.norm().item<float>() > 1e-3, "there is a gradient");
        Assert.InRange((mine - expected).abs().max().item<float>(), 0, 1e-6);
    }

    [Fact]
    public void Tuning_under_the_hook_makes_every_chosen_answer_likelier_than_the_rejected_one_and_leaves_nothing_behind()
    {
        set_num_threads(1);
        Margins();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var (start, after) = Margins();

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.All(start.Zip(after), m => Assert.True(m.Second > m.First + 0.3, $"found {m.First} before and {m.Second} after"));
    }

    [Fact]
    public void Pairs_without_an_answer_are_an_error_that_says_so()
    {
        using var model = ModelFactory.CreateRandom(s_config, 1);
        using var hook = new PreferenceHook("preferences", [new(Row("a", [1, 2], 2), Row("b", [1, 2], 2))], Beta, 1, 0, 4);
        Assert.Contains("none with two answers", Assert.Throws<TemperException>(() => Tune(model, hook)).Message, StringComparison.Ordinal);
    }

    private static (float[] Before, float[] After) Margins()
    {
        using var model = ModelFactory.CreateRandom(s_config, 3);
        using var hook = new PreferenceHook("preferences", s_pairs, Beta, 1, 0, 4);
        float[] Now()
        {
            using var quiet = no_grad();
            using var margins = PreferenceLoss.Margins(model, s_pairs);
            return Checkpoint.Floats(margins);
        }

        var before = Now();
        Tune(model, hook);
        return (before, Now());
    }

    private static void Tune(CausalModel model, TrainingHook hook) => Trainer.Train(
        model, [Row("user", [14, 15, 16], 1)], new() { Steps = 15, BatchSize = 1, LearningRate = 0.01, Warmup = 0 }, [hook], TrainerOptions.Default, CancellationToken.None);

    private static EncodedExample Row(string id, int[] ids, int prompt) => new(ids, [.. ids.Select((_, i) => i >= prompt)], id);
}
