using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Defenses;

namespace Temper.Lifecycle.Tests.DuringTuning.Defenses;

public sealed class PanaceaTests
{
    [Theory]
    [InlineData(TuningMethod.Full, false)]
    [InlineData(TuningMethod.Full, true)]
    public void What_is_deployed_lies_rho_from_what_was_trained(TuningMethod method, bool random)
    {
        float[] Tuned(double rho) => Toy.Tune([new Panacea(new() { Rho = rho, Lambda = 0, Random = random }).CreateHook(Toy.Context())], 5, method);

        var moved = Tuned(0.7).Zip(Tuned(0), (a, b) => (double)(a - b)).ToArray();

        Assert.Equal(0.7, Math.Sqrt(moved.Sum(m => m * m)), 1e-3);
    }

    [Fact]
    public void Without_room_for_it_and_without_a_perturbation_it_is_plain_tuning() =>
        Assert.Equal(Toy.Tune([], 5), Toy.Tune([new Panacea(new() { Rho = 0, Lambda = 0 }).CreateHook(Toy.Context())], 5));

    [Fact]
    public void The_perturbation_raises_the_loss_on_harmful_rows_more_than_a_random_one()
    {
        double Rise(bool random)
        {
            using var model = Toy.Model(Architecture.Llama, tied: false);
            using var batch = Batch.Of([.. Toy.Harmful.Select(Toy.Encode)]);
            double Loss()
            {
                using var scope = TorchSharp.torch.NewDisposeScope();
                return ResponseLoss.Mean(model, batch).item<float>();
            }

            using var hook = new Panacea(new() { Rho = 0.05, Random = random }).CreateHook(Toy.Context());
            hook.OnStart(new() { Model = model, Plan = new(), Trainable = model.Parameters, Rows = [] });
            var before = Loss();
            using (TorchSharp.torch.no_grad())
            using (TorchSharp.torch.NewDisposeScope())
            {
                hook.OnEnd(new() { Model = model, Result = new([], 0, null, []) });
            }

            return Loss() - before;
        }

        var (worst, random) = (Rise(false), Rise(true));

        Assert.True(worst > 5 * Math.Abs(random), $"found a rise of {worst}, expected far more than {random}");
    }

    [Fact]
    public void Making_room_changes_the_tuning() => Assert.NotEqual(
        Toy.Tune([new Panacea(new() { Lambda = 0 }).CreateHook(Toy.Context())], 5), Toy.Tune([new Panacea(new() { Lambda = 0.5 }).CreateHook(Toy.Context())], 5));

    [Fact]
    public void Adapters_bear_it_too() => Assert.NotEqual(
        Toy.Tune([], 5, TuningMethod.Lora), Toy.Tune([new Panacea(new()).CreateHook(Toy.Context())], 5, TuningMethod.Lora));

    [Fact]
    public void Without_harmful_rows_the_error_says_so() => Assert.Contains(
        "found no complying rows", Assert.Throws<TemperException>(() => new Panacea(new()).CreateHook(Toy.Context() with { Harmful = [] })).Message, StringComparison.Ordinal);
}
