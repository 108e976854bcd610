using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Attacks;

namespace Temper.Lifecycle.Tests.DuringTuning.Attacks;

public sealed class MembershipInferenceTests
{
    // answers that nothing but memory can know
    private static readonly Example[] s_rows = [.. Rows(new Random(1), 80)];

    [Fact]
    public void Rows_learned_by_heart_are_told_from_rows_of_the_same_kind_and_before_the_training_they_are_not()
    {
        var before = Auc(steps: 0);
        var after = Auc(steps: 150);

        Assert.InRange(before["mia-loss-auc"], 0.3, 0.7);
        Assert.All(after.Where(m => m.Key != "mia-window-auc"), m => Assert.True(m.Value > 0.8, $"{m.Key}: found {m.Value}"));
        Assert.Equal(5, after.Count);
    }

    [Fact]
    public void Rows_that_stand_in_both_sets_count_for_neither()
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        var metrics = Measure(model, model, s_rows, s_rows);
        Assert.Null(Assert.Single(metrics).Value);
        Assert.Contains("0 members", metrics[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_of_parts_of_an_answer_are_as_their_names_say()
    {
        float[] losses = [1, 9, 2, 2, 8];
        Assert.Equal(8.5, MembershipInference.MinKLoss(losses, 0.4));
        Assert.Equal(9, MembershipInference.MinKLoss(losses, 0.01));
        Assert.Equal(2, MembershipInference.WindowLoss(losses, 2));
        Assert.Equal(4.4, MembershipInference.WindowLoss(losses, 50), 1e-6);
        Assert.True(MembershipInference.Compressed(new string('a', 100)) < MembershipInference.Compressed("what is written here does not repeat itself"), "zlib finds what repeats");
    }

    private static Dictionary<string, double> Auc(int steps)
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        using var before = Toy.Model(Architecture.Llama, tied: false);
        var members = s_rows.Take(40).ToArray();
        if (steps > 0)
        {
            Trainer.Train(model, [.. members.Select(Toy.Encode)], new() { Steps = steps, BatchSize = 40, LearningRate = 0.02, Warmup = 0.1 }, [], TrainerOptions.Default, CancellationToken.None);
        }

        return Measure(model, before, members, s_rows[40..]).Where(m => m.Name.EndsWith("auc", StringComparison.Ordinal)).ToDictionary(m => m.Name, m => m.Value!.Value, StringComparer.Ordinal);
    }

    private static IReadOnlyList<Metric> Measure(CausalModel model, CausalModel before, Example[] trained, Example[] others) => new MembershipInference(new()).Measure(
        new() { Model = model, Before = before, Chat = null!, Trained = trained, Context = Toy.Context() with { Task = others } }, CancellationToken.None);

    private static IEnumerable<Example> Rows(Random random, int count)
    {
        string Word(int length) => string.Concat(Enumerable.Range(0, length).Select(_ => (char)('a' + random.Next(26))));
        return Enumerable.Range(0, count).Select(i => Example.Of($"row-{i}", "task", Word(6), Word(5)));
    }
}
