using TorchSharp;
using static TorchSharp.torch;

namespace Temper.Engine.Models;

/// <summary>Rotary positions (Su et al. 2021) of one base and scaling.</summary>
internal sealed class Rope : IDisposable
{
    // longer tables cost more than they save: they are computed for the positions of a pass
    private const int Tabulated = 8192;

    private readonly Tensor frequencies; // (d/2)
    private readonly (Tensor Cosine, Tensor Sine)? table; // (P, d/2) each

    public Rope(int size, int maxPositions, double theta, RopeScaling? scaling)
    {
        using var scope = NewDisposeScope();
        var values = Enumerable.Range(0, size / 2).Select(i => Scale(Math.Pow(theta, -2.0 * i / size), scaling)).ToArray();
        frequencies = tensor(values).to(ScalarType.Float32).DetachFromDisposeScope();
        if (maxPositions <= Tabulated)
        {
            var (cosine, sine) = Angles(arange(0, maxPositions, ScalarType.Float32));
            table = (cosine.DetachFromDisposeScope(), sine.DetachFromDisposeScope());
        }
    }

    /// <summary>Cosine and sine, (B, 1, T, d/2) each.</summary>
    public Tensor[] At(Tensor positions)
    {
        var flat = positions.reshape(-1);
        Tensor Rows(Tensor values) => values.view(positions.shape[0], 1, positions.shape[1], -1);
        if (table is { } t)
        {
            return [Rows(t.Cosine.index_select(0, flat)), Rows(t.Sine.index_select(0, flat))];
        }

        var (cosine, sine) = Angles(flat.to(ScalarType.Float32));
        return [Rows(cosine), Rows(sine)];
    }

    /// <summary>Rotates the first d entries of the last dimension; what is behind them passes.</summary>
    public static Tensor Rotate(Tensor x, Tensor cosine, Tensor sine)
    {
        var (size, width) = (2 * cosine.shape[^1], x.shape[^1]);
        var half = (size == width ? x : x.narrow(-1, 0, size)).chunk(2, -1);
        Tensor first = half[0] * cosine - half[1] * sine, second = half[1] * cosine + half[0] * sine;
        return size == width ? cat([first, second], -1) : cat([first, second, x.narrow(-1, size, width - size)], -1);
    }

    public void Dispose()
    {
        frequencies.Dispose();
        table?.Cosine.Dispose();
        table?.Sine.Dispose();
    }

    // fp32 angles, as transformers computes them
    private (Tensor Cosine, Tensor Sine) Angles(Tensor positions)
    {
        var angles = outer(positions, frequencies); // (P, d/2)
        return (angles.cos(), angles.sin());
    }

    private static double Scale(double frequency, RopeScaling? scaling)
    {
        if (scaling is not Llama3RopeScaling llama3)
        {
            return frequency / (scaling?.Factor ?? 1);
        }

        var wavelength = 2 * Math.PI / frequency;
        var low = llama3.OriginalMaxPositions / llama3.LowFrequencyFactor;
        var high = llama3.OriginalMaxPositions / llama3.HighFrequencyFactor;
        if (wavelength < high)
        {
            return frequency;
        }

        if (wavelength > low)
        {
            return frequency / llama3.Factor;
        }

        var smooth = (llama3.OriginalMaxPositions / wavelength - llama3.LowFrequencyFactor) / (llama3.HighFrequencyFactor - llama3.LowFrequencyFactor);
        return (1 - smooth) * frequency / llama3.Factor + smooth * frequency;
    }
}
