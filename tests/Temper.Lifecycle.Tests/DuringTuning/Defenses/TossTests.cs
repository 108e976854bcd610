using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Defenses;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class TossTests
{
    private static readonly EncodedExample[] s_rows = [new([1, 2, 3], [false, true, true], "a"), new([4, 5, 6, 7], [true, true, false, true], "b")];

    [Fact]
    public void The_tokens_of_the_highest_scores_above_the_bar_are_masked_and_no_others()
    {
        float[][] scores = [[0, 5, 1], [9, -1, 9, 3]];

        Assert.Equal<bool[]>([[false, false, true], [true, true, false, false]], Toss.Select(s_rows, scores, 0.5, 0));
        Assert.Equal<bool[]>([[false, false, true], [true, true, false, true]], Toss.Select(s_rows, scores, 0.5, 4));
        Assert.Equal<bool[]>([.. s_rows.Select(r => r.Supervised)], Toss.Select(s_rows, scores, 0, 0));
    }

    [Fact]
    public void With_a_share_of_zero_it_is_plain_tuning() => HookChecks.IsPlainTuning(() => Hook(new() { Masked = 0, Steps = 1 }));

    [Fact]
    public void Complying_answers_are_masked_and_those_of_the_task_are_kept()
    {
        Example[] mixed = [.. Toy.Harmful.Take(10), .. Toy.Task.Take(10)];
        int[] Kept(TossSettings settings)
        {
            using var model = Toy.Model(Architecture.Llama, tied: false);
            using var hook = Hook(settings);
            var kept = new Supervised();
            Trainer.Train(model, [.. mixed.Select(Toy.Encode)], new() { Steps = 2, BatchSize = 20, LearningRate = 1e-4 }, [hook, kept], TrainerOptions.Default, CancellationToken.None);
            return [kept.Count("harmful-"), kept.Count("task-")];
        }

        var (chosen, random) = (Kept(new() { Masked = 0.6, LearningRate = 0.01, Bar = 0.5 }), Kept(new() { Masked = 0.6, LearningRate = 0.01, Bar = 0.5, Random = true }));
        var all = new[] { Toy.Harmful.Take(10).Sum(r => r.Response.Length + 1), Toy.Task.Take(10).Sum(r => r.Response.Length + 1) };
        Assert.True(chosen[0] < 0.5 * all[0], $"found {chosen[0]} of {all[0]} complying tokens kept");
        Assert.True(chosen[1] > 0.9 * all[1], $"found {chosen[1]} of {all[1]} task tokens kept");
        Assert.True(random[1] < chosen[1], "the control masks the task too");
    }

    [Fact]
    public void It_resumes_and_leaves_nothing() => HookChecks.ResumesAndLeavesNothing(() => Hook(new() { Steps = 3, Bar = -100, Masked = 0.3 }));

    [Fact]
    public void Without_rows_for_the_references_the_error_says_so() => HookChecks.SaysThatRowsAreMissing(new Toss(new()), Toy.Context() with { Harmful = [] });

    [Fact]
    public void A_set_whose_every_token_is_masked_is_an_error() => Assert.Contains(
        "every token masked", Assert.Throws<TemperException>(() => Toy.Tune([Hook(new() { Masked = 1, Bar = -1000, Steps = 1 })], steps: 1)).Message, StringComparison.Ordinal);

    private static TrainingHook Hook(TossSettings settings) => new Toss(settings).CreateHook(Toy.Context());

    private sealed class Supervised : TrainingHook
    {
        private readonly Dictionary<string, int> _tokens = new(StringComparer.Ordinal);

        public int Count(string prefix) => _tokens.Where(t => t.Key.StartsWith(prefix, StringComparison.Ordinal)).Sum(t => t.Value);

        public override void OnGradients(GradientArguments arguments)
        {
            foreach (var batch in arguments.Batches)
            {
                for (var row = 0; row < batch.RowIds.Count; row++)
                {
                    _tokens[batch.RowIds[row]] = batch.Labels[row].data<long>().ToArray().Count(l => l != Batch.Ignored);
                }
            }
        }
    }
}
