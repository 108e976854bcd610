using Temper.Core;
using Temper.Engine.Training;
using Temper.Lifecycle.DuringTuning.Attacks;

namespace Temper.Lifecycle.Tests.DuringTuning.Attacks;

public sealed class RateSpikeTests
{
    [Fact]
    public void A_spike_over_all_steps_is_tuning_at_the_higher_rate()
    {
        var spiked = Toy.Tune([Hook(new() { At = 0, Steps = 4, Factor = 3 })], steps: 4, rate: 1e-3);

        Assert.InRange(Toy.Distance(Toy.Tune([], steps: 4, rate: 3e-3), spiked), 0, 1e-5);
        Assert.True(Toy.Distance(Toy.Tune([], steps: 4, rate: 1e-3), spiked) > 1e-4, "the spike is felt");
    }

    [Fact]
    public void Before_the_spike_and_at_factor_one_it_is_plain_tuning()
    {
        Assert.InRange(Toy.Distance(Toy.Tune([], steps: 6), Toy.Tune([Hook(new() { At = 0.5, Factor = 1 })], steps: 6)), 0, 0);
        var distances = new List<float>();
        List<float[]> plain = [], spiked = [];
        Toy.Tune([new Keep(plain)], steps: 6);
        Toy.Tune([Hook(new() { At = 0.5, Steps = 1, Factor = 5 }), new Keep(spiked)], steps: 6);
        distances.AddRange(plain.Zip(spiked, Toy.Distance));

        Assert.Equal([true, true, true, false], distances.Take(4).Select(d => d == 0));
    }

    [Fact]
    public void A_tuning_that_is_cut_off_goes_on_to_the_same_bits() => Assert.Equal(
        Toy.Tune([Hook(new() { At = 0.3, Steps = 6 })], steps: 12), Toy.TuneCutOff(() => Hook(new() { At = 0.3, Steps = 6 }), steps: 12, at: 7));

    [Fact]
    public void Nothing_is_left_behind()
    {
        Toy.Tune([Hook(new())], steps: 4);
        var live = Toy.LiveTensors;
        Toy.Tune([Hook(new())], steps: 4);
        Assert.Equal(live, Toy.LiveTensors);
    }

    private static TrainingHook Hook(RateSpikeSettings settings) => new RateSpike(settings).CreateHook(Toy.Context());

    private sealed class Keep(List<float[]> weights) : TrainingHook
    {
        public override StepAction AfterStep(StepArguments arguments)
        {
            weights.Add([.. arguments.Trainable.Values.SelectMany(Engine.Checkpoints.Checkpoint.Floats)]);
            return StepAction.Continue;
        }
    }
}
