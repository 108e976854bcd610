using System.Globalization;
using Temper.Core;
using Temper.Formats.Json;
using Temper.Formats.SafeTensors;
using Temper.Scan.Folders;
using Temper.Scan.Rules;

namespace Temper.Scan.Adapters;

/// <summary>Reads the spectra of a folder's adapter and tells them as a finding.</summary>
internal static class AdapterSpectra
{
    private const int LargestRank = 256;
    private const long LargestFactor = 1L << 28;

    /// <summary>What the spectra say; they themselves go to <paramref name="spectra"/>.</summary>
    public static IEnumerable<FolderFinding> Find(ModelFolder folder, AdapterCohort? cohort, List<AdapterSpectrum> spectra, CancellationToken cancellation)
    {
        foreach (var adapter in Read(folder, cancellation).Select(a => a with { Cohort = cohort?.Score(a) }))
        {
            spectra.Add(adapter);
            foreach (var finding in Findings(adapter))
            {
                yield return new(Path.GetFileName(adapter.Path), finding);
            }
        }
    }

    public static IEnumerable<AdapterSpectrum> Read(ModelFolder folder, CancellationToken cancellation)
    {
        if (!folder.Has(AdapterWeights.File) || folder.Json("adapter_config.json") is not { } config)
        {
            yield break;
        }

        if (Of(folder.File(AdapterWeights.File), config, cancellation) is { } spectrum)
        {
            yield return spectrum;
        }
    }

    private static IEnumerable<Finding> Findings(AdapterSpectrum adapter)
    {
        var all = adapter.Modules;
        var strongest = all.MaxBy(m => m.Spectrum.Frobenius)!;
        yield return AdapterCards.Spectrum.At(adapter.Path, string.Create(CultureInfo.InvariantCulture,
            $"{all.Count} updates; norm {all.Min(m => m.Spectrum.Frobenius):0.###} to {strongest.Spectrum.Frobenius:0.###} (strongest in {strongest.Module}), leading singular value up to {all.Max(m => m.Spectrum.Leading):0.###}, share of energy in one direction {Median(all.Select(m => m.Spectrum.EnergyShare)):0.##} (median), entropy {Median(all.Select(m => m.Spectrum.Entropy)):0.##}, kurtosis {Median(all.Select(m => m.Spectrum.Kurtosis)):0.##}; dispersion of the norms {adapter.Dispersion:0.###}.")
            + (adapter.Cohort is { } score ? $" {score}" : ""));
        if (adapter.Cohort is { Outlier: true } outlier)
        {
            yield return AdapterCards.Outlier.At(adapter.Path, outlier.ToString(), outlier.Feature);
        }
    }

    private static AdapterSpectrum? Of(string path, JsonTree config, CancellationToken cancellation)
    {
        try
        {
            using var weights = SafeTensorsFile.Open(path);
            var pairs = AdapterWeights.Pairs(weights);
            var modules = pairs.Select(p => Measure(weights, p.Key, p.Value, config, cancellation)).OfType<ModuleSpectrum>().OrderBy(m => m.Layer).ThenBy(m => m.Module, StringComparer.Ordinal).ToArray();
            return modules.Length == 0 ? null : new(path, config["base_model_name_or_path"]?.String ?? "", modules, pairs.Count - modules.Length);
        }
        catch (TemperException)
        {
            // The report on the file itself says what is wrong with it.
            return null;
        }
    }

    private static ModuleSpectrum? Measure(SafeTensorsFile weights, string module, LoraPair pair, JsonTree config, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (pair is not { A: { Shape.Count: 2 } a, B: { Shape.Count: 2 } b } || a.Shape[0] != b.Shape[1] || a.Shape[0] is <= 0 or > LargestRank
            || a.ElementCount is <= 0 or >= LargestFactor || b.ElementCount is <= 0 or >= LargestFactor || !IsFloat(a) || !IsFloat(b))
        {
            return null;
        }

        var (left, right) = (new float[a.ElementCount], new float[b.ElementCount]);
        weights.ReadFloats(a, left);
        weights.ReadFloats(b, right);
        return Spectrum.Of(left, right, (int)a.Shape[0], Scale(config, a.Shape[0])) is { } spectrum ? new(module, b.Shape[0], a.Shape[1], (int)a.Shape[0], spectrum) : null;
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
