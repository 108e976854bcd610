using Temper.Engine.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Lifecycle.Tests.PostTuning.Defenses;

/// <summary>A toy model before alignment, after it, and after tuning.</summary>
internal sealed class Repair : IDisposable
{
    private ulong _seed = 3;

    public Repair(Architecture architecture = Architecture.Llama)
    {
        Unaligned = Toy.Model(architecture, tied: true);
        Aligned = Moved(Unaligned);
        Tuned = Moved(Aligned);
    }

    public CausalModel Unaligned { get; }

    public CausalModel Aligned { get; }

    public CausalModel Tuned { get; }

    public TechniqueContext Context => Toy.Context() with { Model = Aligned, Unaligned = Unaligned };

    public void Map(IWeightMap defense, CausalModel? model = null) => defense.Map(model ?? Tuned, Context, TestContext.Current.CancellationToken);

    /// <summary>Tensors that this thread holds after each of three runs on a copy of the tuned model.</summary>
    public long[] Live(IWeightMap defense) => [.. Enumerable.Range(0, 3).Select(_ =>
    {
        using var copy = ModelFactory.Copy(Tuned);
        Map(defense, copy);
        copy.Dispose();
        return Toy.LiveTensors;
    })];

    public void Dispose()
    {
        Unaligned.Dispose();
        Aligned.Dispose();
        Tuned.Dispose();
    }

    private CausalModel Moved(CausalModel model)
    {
        var copy = ModelFactory.Copy(model);
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        foreach (var weight in copy.Parameters.Values)
        {
            weight.add_(0.01 * randn(weight.shape, generator: new Generator(_seed++)));
        }

        return copy;
    }
}
