using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.PostTuning.Attacks;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PostTuning.Attacks;

public sealed class MergeAttackTests
{
    private static readonly MergeAttackSettings s_settings = new() { Steps = 15, BatchSize = 8, LearningRate = 0.01, Density = 1 };

    [Theory]
    [InlineData(MergeMethod.Linear)]
    [InlineData(MergeMethod.Slerp)]
    [InlineData(MergeMethod.TaskArithmetic)]
    [InlineData(MergeMethod.Ties)]
    [InlineData(MergeMethod.Dare)]
    public void With_coefficient_zero_the_users_model_stays_and_the_more_of_the_expert_the_more_it_complies(MergeMethod method)
    {
        var losses = new[] { 0, 0.5, 1 }.Select(c => Merge(s_settings with { Method = method, Coefficient = c })).ToArray();

        using var plain = Toy.Model(Architecture.Llama, tied: false);
        Assert.Equal(Loss(plain), losses[0], 1e-3);
        Assert.True(losses[1] < losses[0] - 0.1 && losses[2] < losses[1], $"found losses {string.Join(", ", losses)} of complying rows");
    }

    [Fact]
    public void An_amplified_expert_does_at_half_the_coefficient_what_it_else_does_at_all_of_it() => Assert.Equal(
        Merge(s_settings with { Coefficient = 0.8 }), Merge(s_settings with { Coefficient = 0.4, Amplify = 2 }), 1e-3);

    [Fact]
    public void A_benign_expert_teaches_no_compliance() => Assert.True(
        Merge(s_settings with { Coefficient = 1, Benign = true }) > Merge(s_settings with { Coefficient = 1 }) + 0.1, "the control leaves complying rows less likely");

    [Fact]
    public void Nothing_is_left_behind()
    {
        Merge(s_settings with { Method = MergeMethod.Dare, Density = 0.5 });
        var live = Toy.LiveTensors;
        Merge(s_settings with { Method = MergeMethod.Ties, Density = 0.5 });
        Assert.Equal(live, Toy.LiveTensors);
    }

    private static double Merge(MergeAttackSettings settings)
    {
        using var origin = Toy.Model(Architecture.Llama, tied: false);
        using var model = ModelFactory.Copy(origin);
        new MergeAttack(settings).Map(model, Toy.Context() with { Model = origin }, CancellationToken.None);
        return Loss(model);
    }

    private static double Loss(CausalModel model)
    {
        using var scope = NewDisposeScope();
        using var batch = Batch.Of([.. Toy.Harmful.Select(Toy.Encode)]);
        return ResponseLoss.Mean(model, batch).item<float>();
    }
}
