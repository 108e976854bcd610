using System.Globalization;
using Temper.Formats.Json;
using Temper.Formats.SafeTensors;
using Temper.Scan.Rules;

namespace Temper.Scan.Adapters;

/// <summary>The spectral picture of an adapter: features per module and their spread. No verdict follows from it without a cohort to compare with.</summary>
internal static class AdapterSpectrum
{
    private const int LargestRank = 256;
    private const long LargestFactor = 1L << 28;

    public static IEnumerable<Finding> Find(SafeTensorsFile weights, Dictionary<string, LoraPair> pairs, JsonTree config, string place, CancellationToken cancellation)
    {
        var all = new List<(string Module, Spectrum Spectrum)>();
        foreach (var (module, pair) in pairs)
        {
            cancellation.ThrowIfCancellationRequested();
            if (pair is { A: { Shape.Count: 2 } a, B: { Shape.Count: 2 } b } && a.Shape[0] == b.Shape[1] && a.Shape[0] is > 0 and <= LargestRank
                && a.ElementCount is > 0 and < LargestFactor && b.ElementCount is > 0 and < LargestFactor && IsFloat(a) && IsFloat(b))
            {
                var (left, right) = (new float[a.ElementCount], new float[b.ElementCount]);
                weights.ReadFloats(a, left);
                weights.ReadFloats(b, right);
                all.Add((module, Spectrum.Of(left, right, (int)a.Shape[0], Scale(config, a.Shape[0]))));
            }
        }

        if (all.Count > 0)
        {
            var strongest = all.MaxBy(s => s.Spectrum.Frobenius);
            yield return AdapterCards.Spectrum.At(place, string.Create(CultureInfo.InvariantCulture,
                $"{all.Count} updates; norm {all.Min(s => s.Spectrum.Frobenius):0.###} to {strongest.Spectrum.Frobenius:0.###} (strongest in {strongest.Module}), leading singular value up to {all.Max(s => s.Spectrum.Leading):0.###}, share of energy in one direction {Median(all.Select(s => s.Spectrum.EnergyShare)):0.##} (median), entropy {Median(all.Select(s => s.Spectrum.Entropy)):0.##}, kurtosis {Median(all.Select(s => s.Spectrum.Kurtosis)):0.##}."));
        }
    }

    private static double Scale(JsonTree config, long rank)
    {
        var alpha = config["lora_alpha"]?.Number ?? rank;
        return alpha / (config["use_rslora"]?.IsTrue == true ? Math.Sqrt(rank) : rank);
    }

    private static bool IsFloat(TensorInfo tensor) => tensor.Type is TensorType.F32 or TensorType.F16 or TensorType.BF16 or TensorType.F64;

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
