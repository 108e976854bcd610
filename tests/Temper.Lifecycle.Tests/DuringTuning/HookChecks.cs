using Temper.Core;
using Temper.Engine.Models;
using Temper.Engine.Training;

namespace Temper.Lifecycle.Tests.DuringTuning;

/// <summary>What every defense inside the training loop must keep to.</summary>
internal static class HookChecks
{
    /// <summary>Its value and its gradient are zero at the start: the first step is that of plain tuning.</summary>
    public static void BeginsAsPlainTuning(Func<TrainingHook> create)
    {
        Assert.InRange(Toy.Distance(Toy.Tune([], steps: 1), Toy.Tune([create()], steps: 1)), 0, 1e-5);
        Assert.InRange(Toy.Distance(Toy.Tune([], steps: 1, TuningMethod.Lora), Toy.Tune([create()], steps: 1, TuningMethod.Lora)), 0, 1e-5);
    }

    /// <summary>Switched off it is plain tuning always.</summary>
    public static void IsPlainTuning(Func<TrainingHook> off) => Assert.InRange(Toy.Distance(Toy.Tune([], steps: 8), Toy.Tune([off()], steps: 8)), 0, 1e-5);

    /// <summary>It does something, to adapters too.</summary>
    public static void LeavesPlainTuningBehind(Func<TrainingHook> create)
    {
        Assert.True(Toy.Distance(Toy.Tune([], steps: 12), Toy.Tune([create()], steps: 12)) > 1e-4, "full tuning goes elsewhere");
        Assert.True(Toy.Distance(Toy.Tune([], steps: 30, TuningMethod.Lora), Toy.Tune([create()], steps: 30, TuningMethod.Lora)) > 1e-5, "adapters go elsewhere");
    }

    /// <summary>It ends nearer to the start than plain tuning does, by this factor at least.</summary>
    public static void HoldsTheWeights(Func<TrainingHook> create, double factor)
    {
        var start = Toy.Tune([], steps: 1, rate: 1e-12);
        var (free, held) = (Length(Toy.Tune([], steps: 30), start), Length(Toy.Tune([create()], steps: 30), start));
        Assert.True(held < factor * free, $"found a distance of {held} under the defense and of {free} without, expected less than {factor} of it");
    }

    /// <summary>A training that is cut off goes on to the same bits, and no tensor is left behind.</summary>
    public static void ResumesAndLeavesNothing(Func<TrainingHook> create)
    {
        Assert.Equal(Toy.Tune([create()], steps: 12), Toy.TuneCutOff(create, steps: 12, at: 7));
        var after = Toy.LiveTensors;
        Toy.Tune([create()], steps: 3);
        Assert.Equal(after, Toy.LiveTensors);
    }

    /// <summary>What a look at the tuned model finds.</summary>
    public static T AtTheEnd<T>(TrainingHook? hook, int steps, Func<CausalModel, T> look, TuningMethod method = TuningMethod.Full)
    {
        T found = default!;
        Toy.Tune([.. hook is null ? (TrainingHook[])[] : [hook], new End(m => found = look(m))], steps, method);
        return found;
    }

    public static void SaysThatRowsAreMissing(IHookSource technique, TechniqueContext without) => Assert.Contains("expected", Assert.Throws<TemperException>(() =>
    {
        using var hook = technique.CreateHook(without);
        Toy.Tune([hook], steps: 1);
    }).Message, StringComparison.Ordinal);

    private static double Length(float[] a, float[] b) => Math.Sqrt(a.Zip(b, (x, y) => (double)(x - y) * (x - y)).Sum());

    private sealed class End(Action<CausalModel> look) : TrainingHook
    {
        public override void OnEnd(TrainingEnd arguments) => look(arguments.Model);
    }
}
