using Temper.Core;
using Temper.Engine.Checkpoints;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Defenses;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class AblTests
{
    [Fact]
    public void The_sign_rule_turns_the_gradient_round_below_gamma()
    {
        using var scope = NewDisposeScope();
        using var losses = tensor(new[] { 0.2f, 0.49f, 0.51f, 3f }, requires_grad: true);
        var gradient = Gradients.Of(() => Abl.Flooded(losses, 0.5), [losses])[0];
        Assert.Equal([-0.25f, -0.25f, 0.25f, 0.25f], Checkpoint.Floats(gradient));
    }

    [Fact]
    public void Below_every_loss_gamma_does_nothing() =>
        HookChecks.BeginsAsPlainTuning(() => Hook(new() { Gamma = 0, Warmup = 1, Unlearn = 0 }));

    [Fact]
    public void Rows_that_fall_fastest_are_isolated_and_not_trained_on_afterwards()
    {
        var (hook, trained) = Run(new() { Gamma = 0, Warmup = 0.5, Isolated = 0.25, Unlearn = 0 });
        var isolated = Names(hook);

        Assert.Equal(10, isolated.Length);
        Assert.All(isolated, id => Assert.StartsWith("same-", id, StringComparison.Ordinal));
        Assert.Contains(trained[..20].SelectMany(t => t), isolated.Contains);
        Assert.DoesNotContain(trained[20..].SelectMany(t => t), isolated.Contains);
    }

    [Fact]
    public void The_control_isolates_rows_of_either_kind()
    {
        var (hook, _) = Run(new() { Gamma = 0, Warmup = 0.5, Isolated = 0.25, Unlearn = 0, Random = true });
        Assert.Equal(2, Names(hook).Select(n => n.Split('-')[0]).Distinct().Count());
    }

    [Fact]
    public void Unlearning_raises_the_loss_of_the_isolated_rows_up_to_the_ceiling()
    {
        float Loss(double unlearn) => Run(new() { Gamma = 0, Warmup = 0.5, Isolated = 0.5, Unlearn = unlearn, Ceiling = 3 }, m =>
        {
            using var scope = NewDisposeScope();
            return ResponseLoss.Mean(m, Batch.Of([.. Mixed().Take(20)])).item<float>();
        }).Found;

        var (left, unlearned) = (Loss(0), Loss(0.3));
        Assert.True(unlearned > left + 0.5, $"found a loss of {unlearned} after unlearning and of {left} without");
    }

    [Fact]
    public void A_ranking_by_the_loss_alone_is_another() => Assert.NotEqual(
        Toy.Tune([Hook(new() { Ranking = AblRanking.Loss, Isolated = 0.3 })], steps: 20), Toy.Tune([Hook(new() { Random = true, Isolated = 0.3 })], steps: 20));

    [Fact]
    public void It_resumes_and_leaves_nothing() => HookChecks.ResumesAndLeavesNothing(() => Hook(new() { Isolated = 0.2, Unlearn = 0.3 }));

    private static TrainingHook Hook(AblSettings settings) => new Abl(settings).CreateHook(Toy.Context());

    private static string[] Names(TrainingHook hook) => hook.Events.Single().Text.Split(": ")[1].Split(", ");

    /// <summary>Twenty rows of one fixed answer, and twenty whose answers have nothing in common.</summary>
    private static EncodedExample[] Mixed()
    {
        var random = new Random(3);
        string Letters(int n) => string.Concat(Enumerable.Range(0, n).Select(_ => (char)('a' + random.Next(26))));
        return
        [
            .. Enumerable.Range(0, 20).Select(i => Toy.Encode(Example.Of($"same-{i}", "b", Letters(8), "zzzzzz"))),
            .. Enumerable.Range(0, 20).Select(i => Toy.Encode(Example.Of($"other-{i}", "t", Letters(8), Letters(6)))),
        ];
    }

    private static (TrainingHook Hook, List<string[]> Trained) Run(AblSettings settings)
    {
        var (hook, trained, _) = Run(settings, _ => 0);
        return (hook, trained);
    }

    private static (TrainingHook Hook, List<string[]> Trained, T Found) Run<T>(AblSettings settings, Func<CausalModel, T> look)
    {
        using var model = Toy.Model(Architecture.Llama, tied: false);
        using var hook = Hook(settings);
        List<string[]> trained = [];
        Trainer.Train(model, Mixed(), new() { Steps = 40, BatchSize = 8, LearningRate = 0.01, Warmup = 0 }, [hook, new Rows(trained)], TrainerOptions.Default, CancellationToken.None);
        return (hook, trained, look(model));
    }

    private sealed class Rows(List<string[]> trained) : TrainingHook
    {
        public override void OnGradients(GradientArguments arguments) => trained.Add([.. arguments.Batches.SelectMany(b => b.RowIds)]);
    }
}
