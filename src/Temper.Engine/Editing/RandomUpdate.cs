using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Editing;

/// <summary>The control of an attack on weights: Gaussian noise as long as what it would have added.</summary>
public static class RandomUpdate
{
    public static Tensor Like(Tensor update, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed);
        var noise = randn(update.shape, ScalarType.Float32, generator: generator);
        return (noise * (update.norm() / noise.norm())).MoveToOuterDisposeScope();
    }
}
